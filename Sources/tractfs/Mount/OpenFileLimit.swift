import Glibc

/// How many files the process may have open (getrlimit(2)).
enum OpenFileLimit {
    /// Raises it as far as the system lets this process. Shells start programs with 1,024, which select(2) once asked for;
    /// files that are open in the mount take up to three each, and connections one.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
