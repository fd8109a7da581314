import Namespace
import ObjectStore
import Reader
import Synchronization

/// Has the next small files of a folder fetched when its files are opened in the order of its listing, so that a program
/// that reads a thousand of them doesn't wait for each.
final class FolderReadAhead: Sendable {
    /// How many folders are watched, those that files were opened in last.
    static let folderCountMax = 64
    /// How many bytes of files that nobody has opened yet a window may have: 1 MiB for each of 16 files, and for files of a
    /// few kilobytes no limit at all.
    static let byteCountMax = 16 << 20

    fileprivate struct Folder {
        var sequences = OpenSequences()
        /// When a file was last opened in it, in opens.
        var lastUse = 0
    }

    fileprivate struct State {
        var folders: [Key: Folder] = [:]
        var openCount = 0
    }

    private let namespace: Namespace
    private let prefetch: @Sendable (ObjectVersion) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - namespace: Tells what comes next in a folder.
    ///   - prefetch: Fetches a small file that may be opened soon, and returns at once. It is called under no lock.
    init(namespace: Namespace, prefetch: @escaping @Sendable (ObjectVersion) -> Void) {
        self.namespace = namespace
        self.prefetch = prefetch
    }

    /// The file `key` is opened.
    func noteOpen(_ key: Key) {
        guard let position = namespace.listingPosition(of: key) else { return }
        // The listing is asked under this lock, so that two opens can't both be told to fetch the same files.
        for version in state.withLock({ $0.note(position) }) { prefetch(version) }
    }

    /// Which of `files` to fetch ahead, where those from the index `fresh` on were not asked for yet; and the index of
    /// the first one that is left for later.
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
    /// Takes note that a file is opened, and says which ones to fetch.
    fileprivate mutating func note(_ position: ListingPosition) -> [ObjectVersion] {
        openCount += 1
        forgetOneFolder(before: position.directory)
        // The dictionary's value is changed where it is: a copy would be one of all sequences.
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
        // What is listed later is asked for later.
        let fresh = advice.fresh.clamped(to: 0..<position.entryCount)
        let (versions, end) = FolderReadAhead.choose(position.files(in: advice.window), fresh: fresh)
        sequences.advance(advice, to: end)
        return versions
    }
}
