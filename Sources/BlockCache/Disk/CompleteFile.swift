public import struct SystemPackage.FileDescriptor

/// A file on the local disk that holds all bytes of one object version, at the object's own offsets and verified, so
/// that reads can go to it directly. It stays readable while this instance lives, even if it is evicted meanwhile.
public final class CompleteFile: Sendable {
    /// The descriptor, open for reading; closed with this instance.
    public let descriptor: FileDescriptor

    /// Takes ownership of `descriptor`.
    public init(takingOwnershipOf descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    deinit {
        try? descriptor.close()
    }
}
