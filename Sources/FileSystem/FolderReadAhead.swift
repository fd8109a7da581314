import Namespace
import ObjectStore
import Reader
import Synchronization

/// Prefetches the next small files of a folder while its files are opened in the order of its listing, so that a
/// program that reads a thousand of them doesn't wait for each.
final class FolderReadAhead: Sendable {
    /// The most folders to track: those with the most recent opens.
    static let folderCountMax = 64
    /// The most bytes of unopened files in a window: 1 MiB for each of 16 files, and no limit in effect for files of a
    /// few kilobytes.
    static let byteCountMax = 16 << 20

    fileprivate struct Folder {
        var sequences = OpenSequences()
        /// The time of the last open in it, in opens.
        var lastUse = 0
    }

    fileprivate struct State {
        var folders: [Key: Folder] = [:]
        var openCount = 0
    }

    private let namespace: Namespace
    private let prefetch: @Sendable (ObjectVersion) -> Void
    private let state = Mutex(State())

    /// Creates a read-ahead without sequences.
    ///
    /// - Parameters:
    ///   - namespace: The source of the folder's next entries.
    ///   - prefetch: Fetches a small file that may be opened soon, and returns at once. Called under no lock.
    init(namespace: Namespace, prefetch: @escaping @Sendable (ObjectVersion) -> Void) {
        self.namespace = namespace
        self.prefetch = prefetch
    }

    /// Notes that the file `key` is opened.
    func noteOpen(_ key: Key) {
        guard let position = namespace.listingPosition(of: key) else { return }
        // The listing is read under this lock, so that two opens never prefetch the same files.
        for version in state.withLock({ $0.note(position) }) { prefetch(version) }
    }

    /// Returns the versions among `files` to prefetch, if those from the index `fresh` on were not requested yet, and
    /// the index of the first file that is left for later.
    static func choose(
        _ files: [ListingPosition.File], fresh: Range<Int>
    ) -> (versions: [ObjectVersion], end: Int) {
        var versions: [ObjectVersion] = []
        var byteCount = 0
        for file in files where 1...Reader.smallByteCountMax ~= file.version.byteCount {
            byteCount += file.version.byteCount
            if byteCount > byteCountMax { return (versions, max(fresh.lowerBound, file.index)) }
            if file.index >= fresh.lowerBound { versions.append(file.version) }
        }
        return (versions, fresh.upperBound)
    }
}

extension FolderReadAhead.State {
    /// Notes an open. Returns the files to prefetch.
    fileprivate mutating func note(_ position: ListingPosition) -> [ObjectVersion] {
        openCount += 1
        forgetOneFolder(before: position.directory)
        // Updated in place: a copy of the dictionary's value would copy all sequences.
        return folders[position.directory, default: FolderReadAhead.Folder()].note(position, openCount: openCount)
    }

    /// Makes room for `directory`.
    private mutating func forgetOneFolder(before directory: Key) {
        guard folders.count >= FolderReadAhead.folderCountMax, folders[directory] == nil else { return }
        let oldest = folders.min { $0.value.lastUse < $1.value.lastUse }
        if let oldest { folders[oldest.key] = nil }
    }
}

extension FolderReadAhead.Folder {
    fileprivate mutating func note(_ position: ListingPosition, openCount: Int) -> [ObjectVersion] {
        lastUse = openCount
        guard let advice = sequences.note(position.index) else { return [] }
        // Files that aren't listed yet are requested later.
        let fresh = advice.fresh.clamped(to: 0..<position.entryCount)
        let (versions, end) = FolderReadAhead.choose(position.files(in: advice.window), fresh: fresh)
        sequences.advance(advice, to: end)
        return versions
    }
}
