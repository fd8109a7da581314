public import BlockCache
public import ObjectStore

/// A handle of an open object version. Releasing it closes the object: parts in flight that are not needed elsewhere
/// are canceled, and received bytes stay cached.
public final class ObjectReader: Sendable {
    /// The most bytes of one read: four times FUSE's limit, which always fits in the smallest cache.
    public static let readByteCountMax = 4 << 20

    let reads: ObjectReads

    /// Takes over a handle that `Reader` has counted.
    init(_ reads: ObjectReads) {
        self.reads = reads
    }

    deinit {
        reads.close()
    }

    /// Returns the bytes of `range` if all of them are available; prefetching starts as for any read. Returns `nil`
    /// otherwise, without any effect; call `read` then.
    ///
    /// - Parameter range: Offsets within the object; not empty, within its size, at most `readByteCountMax`.
    public func readAvailable(_ range: Range<Int>) -> ReadBytes? {
        check(range)
        return reads.readAvailable(range)
    }

    /// Reads the bytes of `range`. `completion` is called exactly once, unless the read is canceled first: on the
    /// calling thread if the bytes are available, otherwise on a network thread. It is called under no lock, may read
    /// again, and must not block.
    ///
    /// An error is that of the request for the first missing bytes (`StoreError.Code.changed` for an overwritten
    /// object). Another read sends another request.
    ///
    /// - Parameter range: Offsets within the object; not empty, within its size, at most `readByteCountMax`.
    public func read(
        _ range: Range<Int>, completion: @escaping @Sendable (Result<ReadBytes, StoreError>) -> Void
    ) -> ParkedRead {
        check(range)
        return reads.read(range, completion: completion)
    }

    /// Provides the object's local file if all reads can use it: at once if the object is completely in the disk cache,
    /// after a fetch if the object is small. For all other objects, and without a disk cache, `completion` receives
    /// `nil`. It is called exactly once, like that of `read`, unless the wait is canceled first; an error is that of
    /// the request for the object's bytes.
    ///
    /// - Returns: The handle for canceling the wait; `nil` if there was none.
    public func localFile(
        completion: @escaping @Sendable (Result<CompleteFile?, StoreError>) -> Void
    ) -> ParkedRead? {
        guard let disk = reads.disk else {
            completion(.success(nil))
            return nil
        }
        let file = disk.completeFile
        guard file == nil, reads.object.byteCount <= Reader.smallByteCountMax, disk.mayBeStored else {
            completion(.success(file))
            return nil
        }
        return reads.read(0..<reads.object.byteCount) { result in
            switch result {
            case .success(let bytes):
                bytes.withBlocks { disk.complete(with: $0) { completion(.success($0)) } }
            case .failure(let error):
                completion(.failure(error))
            }
        }
    }

    /// The object's local file, if it is complete and reads can use it.
    public var completeFile: CompleteFile? { reads.disk?.completeFile }

    private func check(_ range: Range<Int>) {
        precondition(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= reads.object.byteCount)
        precondition(range.count <= ObjectReader.readByteCountMax)
    }
}
