public import BlockCache
public import ObjectStore

/// What became of a piece of an object that was to be brought to the disk.
public enum FetchOutcome: Sendable {
    /// Its bytes up to this offset are there, so many of which have come now.
    case present(upTo: Int, fetchedByteCount: Int)
    /// Others need the memory, or the disk is busy. To be tried again a little later.
    case notNow
    /// What is in use or kept takes all room in the cache.
    case noRoom
    /// The disk can't be written to.
    case failing
}

extension ObjectReader {
    /// What the disk cache has of the object; `nil` where there is no disk cache, or nothing to keep.
    public var diskObject: DiskObject? { reads.disk }

    /// Brings the first bytes of `range` that aren't on the disk there, as many as one request asks for, with what memory
    /// and connections reading leaves. What is in memory or on its way is not asked for again.
    ///
    /// - Parameters:
    ///   - range: Offsets within the object; not empty, begins with a block.
    ///   - completion: Called exactly once when they are written, under no lock, unless the fetch is cancelled first. An error is
    ///     that of the request.
    /// - Returns: What to cancel it with; `nil` where there was no wait.
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
