public import BlockCache
public import ObjectStore

/// The outcome of fetching a piece of an object to the disk.
public enum FetchOutcome: Sendable {
    /// The bytes up to this offset are on the disk; `fetchedByteCount` of them were fetched now.
    case present(upTo: Int, fetchedByteCount: Int)
    /// The memory is needed elsewhere, or the disk is busy. Retry a little later.
    case notNow
    /// All space in the cache is in use or pinned.
    case noRoom
    /// The disk can't be written to.
    case failing
}

extension ObjectReader {
    /// The object in the disk cache; `nil` without a disk cache, or for an empty object.
    public var diskObject: DiskObject? { reads.disk }

    /// Fetches the first bytes of `range` that aren't on the disk, as many as one request covers, with the memory and
    /// connections that reads leave. Bytes in memory or in flight are not requested again.
    ///
    /// - Parameters:
    ///   - range: Offsets within the object; not empty, starting at a block boundary.
    ///   - completion: Called exactly once after the bytes are written, under no lock, unless the fetch is canceled
    ///     first. An error is that of the request.
    /// - Returns: The handle for canceling the fetch; `nil` if it did not wait.
    public func fetchToDisk(
        _ range: Range<Int>, completion: @escaping @Sendable (Result<FetchOutcome, StoreError>) -> Void
    ) -> ParkedRead? {
        precondition(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= reads.object.byteCount)
        guard let disk = reads.disk, disk.mayBeStored else {
            completion(.success(.failing))
            return nil
        }
        let blockCountMax = min(ObjectReads.State.diskPartByteCount / Block.byteCount, disk.writeBlockCountMax)
        guard let absent = disk.firstAbsent(among: Block.indices(covering: range), countMax: blockCountMax) else {
            completion(.success(.present(upTo: range.upperBound, fetchedByteCount: 0)))
            return nil
        }
        let start = absent.lowerBound * Block.byteCount
        let run = start..<min(absent.upperBound * Block.byteCount, reads.object.byteCount)
        guard let reservation = disk.reserveWrite(absent.count),
            let parked = reads.fetch(
                run, completion: { Self.write($0, from: start, to: disk, reservation, completion: completion) })
        else {
            completion(.success(.notNow))
            return nil
        }
        return parked
    }

    private static func write(
        _ result: Result<ReadBytes, StoreError>, from start: Int, to disk: DiskObject, _ reservation: WriteReservation,
        completion: @escaping @Sendable (Result<FetchOutcome, StoreError>) -> Void
    ) {
        switch result {
        case .success(let bytes):
            let byteCount = bytes.byteCount
            bytes.withBlocks { blocks in
                disk.write(blocks, from: start / Block.byteCount, reservation) { outcome in
                    completion(.success(FetchOutcome(outcome, upTo: start + byteCount, byteCount: byteCount)))
                }
            }
        case .failure(let error):
            completion(.failure(error))
        }
    }
}

extension FetchOutcome {
    fileprivate init(_ outcome: WriteOutcome, upTo end: Int, byteCount: Int) {
        self =
            switch outcome {
            case .written: .present(upTo: end, fetchedByteCount: byteCount)
            case .noRoom: .noRoom
            case .notNow: .notNow
            case .failed: .failing
            }
    }
}
