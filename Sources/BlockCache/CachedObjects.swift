import ObjectStore

/// The cache's number for an object version. A number is never reused for another version.
public struct ObjectID: Hashable, Sendable {
    let rawValue: UInt64
}

/// The object versions that are open or have blocks in the cache.
struct CachedObjects {
    private struct Record {
        let version: ObjectVersion
        var openCount = 0
        var blockCount = 0
        /// The cache turn in which the object was last prefetched.
        var streamingTurn: Int?
    }

    private var ids: [ObjectVersion: ObjectID] = [:]
    private var records: [ObjectID: Record] = [:]
    private var nextNumber: UInt64 = 0

    /// The numbers of objects that were prefetched in `turn`, the last turn passed to `noteStreaming`, and in the one
    /// before.
    private var streaming = (turn: 0, now: 0, before: 0)

    /// The number of known object versions.
    var count: Int { records.count }

    /// Returns the number of `version`. It stays valid while the version is open or has blocks.
    mutating func open(_ version: ObjectVersion) -> ObjectID {
        if let id = ids[version] {
            records[id]?.openCount += 1
            return id
        }
        let id = ObjectID(rawValue: nextNumber)
        nextNumber += 1
        ids[version] = id
        records[id] = Record(version: version, openCount: 1)
        return id
    }

    /// Ends what `open` began.
    mutating func close(_ id: ObjectID) {
        records[id]?.openCount -= 1
        forgetIfUnused(id)
    }

    /// Records that the object has one more block in the cache.
    mutating func noteInserted(_ id: ObjectID) {
        records[id]?.blockCount += 1
    }

    /// Records that the object has one block less in the cache.
    mutating func noteEvicted(_ id: ObjectID) {
        records[id]?.blockCount -= 1
        forgetIfUnused(id)
    }

    /// Records that the object is being prefetched.
    ///
    /// - Parameter turn: The number of times the cache's whole memory has been handed out.
    /// - Returns: The number of objects that share the memory for prefetching: those prefetched in this turn or the
    ///   previous one.
    mutating func noteStreaming(_ id: ObjectID, turn: Int) -> Int {
        if turn != streaming.turn {
            streaming = (turn, now: 0, before: turn == streaming.turn + 1 ? streaming.now : 0)
        }
        if records[id]?.streamingTurn != turn {
            records[id]?.streamingTurn = turn
            streaming.now += 1
        }
        return max(streaming.now, streaming.before)
    }

    private mutating func forgetIfUnused(_ id: ObjectID) {
        guard let record = records[id], record.openCount == 0, record.blockCount == 0 else { return }
        records[id] = nil
        ids[record.version] = nil
    }
}
