public import FileSystem

/// A request of a command to the process that serves a mount, about the folder that it is sent through.
///
/// A response is one value, of the type that each case names, or a `FileSystem.Failure`. Permissions are those of the
/// process that asks: it has the folder open for reading, and some requests need more.
public enum ControlRequest: Codable, Hashable, Sendable {
    /// The processes behind the mount (`MountProcesses`). Servers of every protocol version respond to this one, since
    /// `tractfs upgrade` and `tractfs unmount` need it.
    case processes
    /// The current counters of the mount (`MountStatus`).
    case status
    /// The counters over time, and the reads of files (`MountReport`).
    case report
    /// Discards listings: of the folder and of everything below it, or of the folder only. The response (`Done`) comes
    /// when no application sees the discarded listings any more.
    case refresh(isRecursive: Bool)
    /// Begins to list everything below the folder. Responds at once, with a token (`UInt64`); the listing goes on while
    /// `treeListingProgress` renews the token's lease. EBUSY if there are too many such listings.
    case beginTreeListing
    /// The progress of a listing (`TreeListingProgress`). ENODATA for a token that this server has not given out, or
    /// whose lease has ended. The final progress ends the lease.
    case treeListingProgress(of: UInt64)
    /// Signs a URL for a file in the folder (`PresignedResponse`). The process must have permission to read the file.
    case presign(name: [UInt8], lifetime: Int)
    /// Looks up a file of the folder in the disk cache, or fetches a part of it (`FileSystem.FetchResponse`). The
    /// process must have permission to read the file; only root and the user who mounted may pin it.
    case fetch(FileSystem.FetchRequest)
    /// The capacity of the disk cache (`DiskCache.Room`). ENODEV without a disk cache.
    case cacheRoom
    /// Unpins a file of the folder, or everything below the folder if the name is empty (`DiskCache.Release`). Only for
    /// root and the user who mounted.
    case release(name: [UInt8])
    /// The next page of a response that is too long for one message. ENODATA as for `treeListingProgress`.
    case page(of: UInt64, offset: Int)

    /// The response of a request that has no other result.
    struct Done: Codable {}
}
