import BlockCache
import ObjectStore

/// The holes of objects on the disk: blocks that came from the store for reads, and that the disk had no time for.
struct HoleTable {
    /// The most objects. The holes of the oldest one are forgotten beyond that.
    static let objectCountMax = 256
    /// The most ranges of one object. Streams leave few; beyond that, the holes of the object are forgotten.
    static let rangeCountMax = 1_024

    private var holes: [ObjectVersion: RangeSet<Int>] = [:]
    /// The objects with holes, the oldest first.
    private(set) var objects: [ObjectVersion] = []

    /// The indices of the blocks that are holes in `object`.
    subscript(object: ObjectVersion) -> RangeSet<Int> { holes[object] ?? RangeSet() }

    /// Records that the block `index` of `object` was not stored.
    mutating func note(_ index: Int, of object: ObjectVersion) {
        if holes[object] == nil {
            if objects.count == HoleTable.objectCountMax { holes[objects.removeFirst()] = nil }
            objects.append(object)
        }
        holes[object, default: RangeSet()].insert(contentsOf: index..<index + 1)
        if self[object].ranges.count > HoleTable.rangeCountMax { forget(object) }
    }

    /// Forgets the holes of `object`.
    mutating func forget(_ object: ObjectVersion) {
        guard holes.removeValue(forKey: object) != nil else { return }
        objects.removeAll { $0 == object }
    }
}
