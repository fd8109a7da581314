import BlockCache
import SystemPackage
import SystemSupport

/// The result of a verification of the cache, in words.
struct VerificationReport: CustomStringConvertible {
    private let folder: FilePath
    private var objectCount = 0
    private var byteCount = 0
    /// The number of damaged objects.
    private(set) var damagedCount = 0

    /// An empty report on the cache in `folder`.
    init(folder: FilePath) {
        self.folder = folder
    }

    /// Adds an object that was checked.
    mutating func add(_ object: DiskCacheDirectory.Object, isDamaged: Bool) {
        objectCount += 1
        byteCount += object.cachedByteCount
        if isDamaged { damagedCount += 1 }
    }

    /// Adds objects with unreadable indexes.
    mutating func add(nonsenseCount: Int) {
        objectCount += nonsenseCount
        damagedCount += nonsenseCount
    }

    /// The summary.
    var description: String {
        let finding = damagedCount == 0 ? "all right" : "\(ObjectCount(damagedCount)) damaged"
        return "\(ObjectCount(objectCount)), \(ByteCount(byteCount).rounded) checked in \(folder): \(finding)"
    }

    /// Returns the line for a damaged object.
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

    /// Returns the line for objects with unreadable indexes.
    static func line(nonsenseCount: Int) -> String {
        "damaged: \(ObjectCount(nonsenseCount)) whose index doesn't tell which they are: not used any more"
    }
}
