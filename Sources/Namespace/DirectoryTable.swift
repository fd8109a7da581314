import ObjectStore
import Synchronization

/// The directories that something is known of, the most recently used ones of them.
///
/// Two generations: what is used moves to the young one; when the young one has half of the entries that may be kept, the
/// old one goes and the young one becomes old. That bounds memory with one dictionary access a use, and never drops what
/// was used lately.
final class DirectoryTable: Sendable {
    /// What an entry takes: its key, its ETag and the rest.
    static let entryByteCount = 300

    private let entryCountLimit: Int
    private let source: ListingSource
    private let timeToLive: TimeToLive
    private let generations = Mutex(Generations())

    private struct Generations {
        var young: [Key: Directory] = [:]
        var old: [Key: Directory] = [:]
        /// Entries and directories that came since the generations last changed.
        var youngEntryCount = 0
    }

    /// - Parameter byteLimit: How much memory the entries may take, about.
    init(source: ListingSource, timeToLive: TimeToLive, byteLimit: Int) {
        entryCountLimit = byteLimit / DirectoryTable.entryByteCount
        self.source = source
        self.timeToLive = timeToLive
    }

    /// The directory of `prefix`, which ends in "/" or is empty.
    func directory(_ prefix: Key) -> Directory {
        let newEntryCount = source.takeNewEntryCount()
        return generations.withLock { generations in
            generations.youngEntryCount += newEntryCount
            if let directory = generations.young[prefix] { return directory }
            if generations.youngEntryCount > entryCountLimit / 2 {
                generations = Generations(old: generations.young)
            }
            let known = generations.old.removeValue(forKey: prefix)
            let directory = known ?? Directory(prefix: prefix, source: source, timeToLive: timeToLive)
            generations.young[prefix] = directory
            // The directory itself counts as well: there may be many empty ones.
            generations.youngEntryCount += 1 + (known?.entryCount ?? 0)
            return directory
        }
    }

    /// The directory of `prefix`, if something is known of it. That doesn't count as a use.
    func known(_ prefix: Key) -> Directory? {
        generations.withLock { $0.young[prefix] ?? $0.old[prefix] }
    }

    /// Forgets what is known of directories.
    func forget(_ prefix: Key, _ extent: Namespace.Extent) {
        generations.withLock { generations in
            let isKept: (Key) -> Bool = { extent == .tree ? !$0.hasPrefix(prefix) : $0 != prefix }
            generations.young = generations.young.filter { isKept($0.key) }
            generations.old = generations.old.filter { isKept($0.key) }
        }
    }
}
