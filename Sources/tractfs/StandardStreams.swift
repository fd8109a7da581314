import Glibc

/// Standard input and output.
enum StandardStreams {
    /// Has them be nothing, so that a terminal is let go of, or a pipe that somebody waits for.
    static func close() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO] {
            let null = open("/dev/null", O_RDWR | O_CLOEXEC)
            dup2(null, descriptor)
            Glibc.close(null)
        }
    }
}
