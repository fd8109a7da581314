import Namespace
import ObjectStore
import struct SystemPackage.Errno

extension Errno {
    /// What an application is told of a failure of the store. This is the one table of it; PEERS.md 2c compares it with
    /// other mounts', docs/SEMANTICS.md explains it to users.
    ///
    /// - Parameters:
    ///   - error: The failure, which the store has already retried as far as that makes sense.
    ///   - isOpen: Whether it met an object that an application has open, which then was there once.
    init(_ error: StoreError, isOpen: Bool) {
        self =
            switch error.code {
            case .noSuchKey: isOpen ? .staleNFSFileHandle : .noSuchFileOrDirectory
            case .changed: .staleNFSFileHandle
            case .accessDenied, .credentialsRejected, .credentialsExpired, .archived: .permissionDenied
            case .timedOut: .timedOut
            // Never EAGAIN for throttling: applications take it for a non-blocking descriptor.
            case .throttled, .serverFault, .unreachable, .insecure, .wrongRegion, .noSuchBucket, .malformedResponse,
                .refused:
                .ioError
            // The mount is ending. (A request that the application gives up is answered by who hears of it first.)
            case .cancelled: .ioError
            }
    }

    /// What an application is told that looks up what is not a name; a key like that is hidden from listings as well.
    init(_ flaw: Name.Flaw) {
        self = flaw == .tooLong ? .fileNameTooLong : .noSuchFileOrDirectory
    }
}
