import Glibc

/// The limit of open files of this process (getrlimit(2)).
enum OpenFileLimit {
    /// Raises the limit to the most that the system allows. Shells start programs with 1,024, for the sake of
    /// select(2); a file that is open in the mount takes up to three, and a connection one.
    static func raise() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
