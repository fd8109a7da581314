import FileSystem

/// The times for which the kernel may cache names and attributes, in seconds, as libfuse takes them.
enum KernelTimeout {
    /// One year, for values that never change. The kernel converts seconds to jiffies, so that there is no infinite
    /// timeout.
    static let unlimited = 365.0 * 24 * 60 * 60

    /// The longest timeout of a negative entry in a kernel that cannot be made to drop it: the longest time that new
    /// files may stay invisible after a refresh.
    static let negativeEntryMax = 60.0

    /// Returns a duration in seconds; `unlimited` for `nil`.
    static func seconds(_ duration: Duration?) -> Double {
        guard let duration else { return unlimited }
        let (seconds, attoseconds) = duration.components
        return min(Double(seconds) + Double(attoseconds) * 1e-18, unlimited)
    }
}

extension FuseSession {
    /// The longest time for which the kernel may cache a name, in seconds. A cached name is found by all users, so it
    /// is 0 where only this process checks who may search a folder.
    var nameTimeoutLimit: Double {
        isForeign && !fileSystem.letsAllThrough ? 0 : KernelTimeout.unlimited
    }

    /// The longest time for which the kernel may cache a negative entry (the absence of a name), in seconds.
    var negativeTimeoutLimit: Double {
        min(nameTimeoutLimit, canInvalidateNegativeEntries ? KernelTimeout.unlimited : KernelTimeout.negativeEntryMax)
    }
}
