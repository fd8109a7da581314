import ObjectStore
import Testing

import struct SystemPackage.Errno

@testable import FileSystem

@Suite("The errno table") struct ErrnoTests {
    @Test(
        "each failure of the store has an errno that applications can handle",
        arguments: [
            (.noSuchKey, .noSuchFileOrDirectory, .staleNFSFileHandle),
            (.noSuchBucket, .ioError, .ioError),
            (.accessDenied, .permissionDenied, .permissionDenied),
            (.credentialsRejected, .permissionDenied, .permissionDenied),
            (.credentialsExpired, .permissionDenied, .permissionDenied),
            (.archived, .permissionDenied, .permissionDenied),
            (.changed, .staleNFSFileHandle, .staleNFSFileHandle),
            (.throttled, .ioError, .ioError),
            (.serverFault, .ioError, .ioError),
            (.timedOut, .timedOut, .timedOut),
            (.unreachable, .ioError, .ioError),
            (.insecure, .ioError, .ioError),
            (.wrongRegion, .ioError, .ioError),
            (.malformedResponse, .ioError, .ioError),
            (.refused, .ioError, .ioError),
            (.cancelled, .ioError, .ioError),
        ] as [(StoreError.Code, Errno, Errno)])
    func table(code: StoreError.Code, onLookup: Errno, onRead: Errno) {
        #expect(Errno(StoreError(code, ""), isOpen: false) == onLookup)
        #expect(Errno(StoreError(code, ""), isOpen: true) == onRead)
    }
}
