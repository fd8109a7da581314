import Glibc

/// How many descriptors this process may have open (getrlimit(2)).
public enum OpenFileLimit {
    /// Raises the limit to the most that the process may give itself. The usual 1,024 are a measure for select(2), which
    /// nothing here uses; an object of the disk cache takes two descriptors as long as anybody has it open, so that
    /// some hundred open files would leave none for connections.
    ///
    /// - Returns: How many there may be now.
    @discardableResult
    public static func raise() -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        getrlimit(resource, &limit)
        limit.rlim_cur = limit.rlim_max
        // The kernel refuses nothing up to the hard limit; if it did, all would go on with what there is.
        setrlimit(resource, &limit)
        getrlimit(resource, &limit)
        return Int(clamping: limit.rlim_cur)
    }
}
