import Glibc

/// The three standard streams of the process.
package enum StandardStreams {
    /// Opens the streams that are closed as /dev/null: otherwise the next files and sockets would take their numbers,
    /// and messages for standard error would be written into them.
    package static func openMissing() {
        var descriptor: CInt
        repeat {
            descriptor = open("/dev/null", O_RDWR | O_CLOEXEC)
        } while (STDIN_FILENO...STDERR_FILENO).contains(descriptor)
        Glibc.close(descriptor)
    }

    /// Replaces standard input and output by /dev/null: this releases the terminal, or a pipe whose reader waits for
    /// its end.
    package static func close() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO] {
            let null = open("/dev/null", O_RDWR | O_CLOEXEC)
            dup2(null, descriptor)
            Glibc.close(null)
        }
    }
}
