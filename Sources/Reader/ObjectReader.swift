public import BlockCache
public import ObjectStore

/// One object version that somebody has open. Letting go of it closes it: what is in flight for nobody else is cancelled,
/// and what has come stays in the cache.
public final class ObjectReader: Sendable {
    /// The most that one read may ask for: four times what FUSE does, and what always fits in the smallest cache.
    public static let readByteCountMax = 4 << 20

    let reads: ObjectReads

    /// Takes over a handle that `Reader` has counted.
    init(_ reads: ObjectReads) {
        self.reads = reads
    }

    deinit {
        reads.close()
    }

    /// The bytes of `range`, if all of them are at hand; reading ahead is set going as for any read. If they are not,
    /// nothing has happened, and `read` is to be called.
    ///
    /// - Parameter range: Offsets within the object; not empty, within its size, `readByteCountMax` at the most.
    public func readAvailable(_ range: Range<Int>) -> ReadBytes? {
        check(range)
        return reads.readAvailable(range)
    }

    /// The bytes of `range`, as soon as they have come. `completion` is called exactly once, on the calling thread if
    /// the bytes are at hand and on a network thread otherwise, unless the read is cancelled first. It is called under no
    /// lock, may read again, and must not block.
    ///
    /// An error is that of the request for the first bytes that could not be had (`StoreError.Code.changed` for an object
    /// that was overwritten). Reading again asks the store again.
    ///
    /// - Parameter range: Offsets within the object; not empty, within its size, `readByteCountMax` at the most.
    public func read(
        _ range: Range<Int>, completion: @escaping @Sendable (Result<ReadBytes, StoreError>) -> Void
    ) -> ParkedRead {
        check(range)
        return reads.read(range, completion: completion)
    }

    /// The object's file on the local disk, if all reads may go there: at once where the object is wholly in the disk cache,
    /// and as soon as it has been fetched where it is small. `completion` gets `nil` for all others, and where there is no
    /// disk cache. It is called exactly once, as that of `read`, unless the wait is cancelled first; an error is that of
    /// the request for the object's bytes.
    ///
    /// - Returns: What to cancel the wait with; `nil` where there was none.
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

    /// The object's file on the local disk, if it is there already and reads may go to it.
    public var completeFile: CompleteFile? { reads.disk?.completeFile }

    private func check(_ range: Range<Int>) {
        precondition(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= reads.object.byteCount)
        precondition(range.count <= ObjectReader.readByteCountMax)
    }
}
