public import struct SystemPackage.FileDescriptor

/// A file on the local disk that holds all bytes of one object version, at the object's own offsets and proven right, so that
/// reads may go to it instead of to us. It stays readable as long as this instance lives, also if it is evicted meanwhile.
public final class CompleteFile: Sendable {
    /// Open for reading; closed with this instance.
    public let descriptor: FileDescriptor

    /// Owns `descriptor` from now on.
    public init(takingOwnershipOf descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    deinit {
        try? descriptor.close()
    }
}
