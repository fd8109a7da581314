import BlockCache
import SystemPackage

/// What a check of the cache has found, in words.
struct VerificationReport: CustomStringConvertible {
    private let folder: FilePath
    private var objectCount = 0
    private var byteCount = 0
    /// How many objects had something wrong.
    private(set) var damagedCount = 0

    /// Nothing yet of the cache in `folder`.
    init(folder: FilePath) {
        self.folder = folder
    }

    /// An object was checked.
    mutating func add(_ object: DiskCacheDirectory.Object, isDamaged: Bool) {
        objectCount += 1
        byteCount += object.cachedByteCount
        if isDamaged { damagedCount += 1 }
    }

    /// So many objects were found that nobody knows.
    mutating func add(nonsenseCount: Int) {
        objectCount += nonsenseCount
        damagedCount += nonsenseCount
    }

    /// The line for all objects together.
    var description: String {
        let finding = damagedCount == 0 ? "all right" : "\(ObjectCount(damagedCount)) damaged"
        return "\(ObjectCount(objectCount)), \(ByteCount(byteCount).rounded) checked in \(folder): \(finding)"
    }

    /// The line for a damaged object.
    static func line(_ object: DiskCacheDirectory.Object, _ damage: DiskCacheDirectory.Damage) -> String {
        let outcome =
            switch damage {
            case .blocks(1): "1 block dropped, will be fetched again"
            case .blocks(let count): "\(count) blocks dropped, will be fetched again"
            case .object: "dropped as a whole, will be fetched again"
            case .stays: "can't be dropped, because the disk is read-only"
            }
        return "damaged: \(CachedObjectName(object)): \(outcome)"
    }

    /// The line for objects that nobody knows.
    static func line(nonsenseCount: Int) -> String {
        "damaged: \(ObjectCount(nonsenseCount)) whose index doesn't tell which they are: not used any more"
    }
}
