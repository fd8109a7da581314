import ObjectStore

/// The cache's number for an object version. Never used again for another one.
public struct ObjectID: Hashable, Sendable {
    let rawValue: UInt64
}

/// The object versions that are open or have blocks in the cache.
struct CachedObjects {
    private struct Record {
        let version: ObjectVersion
        var openCount = 0
        var blockCount = 0
        /// The turn of the cache in which the object was last read ahead.
        var streamingTurn: Int?
    }

    private var ids: [ObjectVersion: ObjectID] = [:]
    private var records: [ObjectID: Record] = [:]
    private var nextNumber: UInt64 = 0

    /// How many objects were read ahead in `turn`, the last one that `noteStreaming` was told, and in the one before.
    private var streaming = (turn: 0, now: 0, before: 0)

    /// How many object versions are known.
    var count: Int { records.count }

    /// The number of `version`, which is kept as long as it is open or has blocks.
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

    /// The object has one block more in the cache.
    mutating func noteInserted(_ id: ObjectID) {
        records[id]?.blockCount += 1
    }

    /// The object has one block less in the cache.
    mutating func noteEvicted(_ id: ObjectID) {
        records[id]?.blockCount -= 1
        forgetIfUnused(id)
    }

    /// The object is being read ahead.
    ///
    /// - Parameter turn: How often the cache's memory has been handed out as a whole.
    /// - Returns: How many objects share the memory for that: those that were read ahead in this turn or in the one before.
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
