import Namespace
import ObjectStore
import struct SystemPackage.Errno

extension Errno {
    /// The errno that applications get for a failure of the store. This is the only table from errors to errno. Codes
    /// and statuses of S3 become a `StoreError` in S3Client/Responses/S3ErrorTable.swift; docs/SEMANTICS.md explains
    /// both to users.
    ///
    /// - Parameters:
    ///   - error: The failure, after all retries.
    ///   - isOpen: `true` if an application has the object open, so that it existed before.
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
            // The mount is ending. (A canceled request of an application gets its own reply.)
            case .cancelled: .ioError
            }
    }

    /// The errno of a lookup of something that isn't a name. Listings hide such keys as well.
    init(_ flaw: Name.Flaw) {
        self = flaw == .tooLong ? .fileNameTooLong : .noSuchFileOrDirectory
    }
}
