import Algorithms
import ObjectStore

/// The entries that the pages of one listing of a directory have proven so far: grows at its end, never changes before.
///
/// Pages arrive in the order of keys, where a file "a" stands before the directory "a/" that hides it (the directory
/// wins), with up to any number of keys between the two, as "a-1". A file is therefore *settled* only when the listing
/// has come past the place where its directory would be; entries from the first unsettled file on are held back. Settled
/// entries have an index, which is what `readdir` continues by.
struct ListedEntries {
    private let prefix: Key
    private let account: BlockAccount
    /// The settled entries, in the order of keys, in blocks as they were settled.
    private var chunks: [EntryBlock] = []
    /// The index of each chunk's first entry.
    private var chunkStarts: [Int] = []
    /// How many entries are settled.
    private(set) var settledCount = 0
    /// Entries that are proven but held back, in the order of keys.
    private var unsettled: [DirectoryEntry] = []
    /// How many of `unsettled` were looked at for the following two.
    private var examinedCount = 0
    /// Indices in `unsettled` of files whose directory may still come. The name of each begins with that of the one before
    /// it, so there are at most 255.
    private var openFiles: [Int] = []
    /// Indices in `unsettled` of files that a directory hides.
    private var shadowed: Set<Int> = []
    /// The greatest key that the pages have come to.
    private var lastKey: Key?
    /// Whether the last page is in.
    private(set) var isComplete = false
    /// Keys that no path can name, and files hidden by directories of the same name.
    private(set) var hiddenCount = 0
    /// The first of them, to tell a person.
    private(set) var firstHidden: Key?

    /// Nothing so far of the directory whose prefix is `prefix`.
    init(prefix: Key, account: BlockAccount) {
        self.prefix = prefix
        self.account = account
    }

    /// Takes the next page of the listing of the directory, and tells what it added. Fails, and
    /// changes nothing, where the page goes back in the order of keys or leaves the prefix: such a listing proves nothing.
    @discardableResult
    mutating func append(_ page: ListPage) throws(StoreError) -> ListingGrowth {
        var last = lastKey
        for item in page.items {
            guard item.key.hasPrefix(prefix), last.map({ $0 < item.key }) ?? true else {
                throw StoreError(.malformedResponse, "the listing of \"\(prefix)\" is out of order at \"\(item.key)\"")
            }
            last = item.key
        }
        lastKey = last
        let (settledBefore, hiddenBefore) = (settledCount, hiddenCount)
        for item in page.items { take(item) }
        isComplete = page.next == nil
        settle()
        return ListingGrowth(
            entryCount: settledCount - settledBefore, hiddenCount: hiddenCount - hiddenBefore, firstHidden: firstHidden)
    }

    private mutating func take(_ item: ListPage.Item) {
        switch (Classification(item.key, below: prefix), item) {
        case (.marker, _):
            break
        case (.file(let name), .object(let object)):
            unsettled.append(DirectoryEntry(name: name, kind: .file(object)))
        case (.directory(let name), _):
            unsettled.append(DirectoryEntry(name: name, kind: .directory))
        case (.hidden, _), (.file, .commonPrefix):
            hide(item.key)
        }
    }

    private mutating func hide(_ key: Key) {
        hiddenCount += 1
        if firstHidden == nil { firstHidden = key }
    }

    /// Moves what can be settled out of `unsettled`, leaving out files that a directory hides.
    private mutating func settle() {
        for index in examinedCount..<unsettled.count { examine(index) }
        let settledEnd = isComplete ? unsettled.count : openFiles.first ?? unsettled.count
        var builder = EntryBlock.Builder(prefix: prefix, reserving: settledEnd, account: account)
        for (index, entry) in unsettled[..<settledEnd].enumerated() {
            switch entry.kind {
            case .file(let object) where shadowed.contains(index): hide(object.version.key)
            case .file(let object): builder.append(file: entry.name.bytes, object: object)
            case .directory: builder.append(directory: entry.name.bytes)
            }
        }
        unsettled.removeFirst(settledEnd)
        examinedCount = unsettled.count
        openFiles = isComplete ? [] : openFiles.map { $0 - settledEnd }
        shadowed = Set(shadowed.filter { $0 >= settledEnd }.map { $0 - settledEnd })
        if builder.count == 0 { return }
        let chunk = builder.finish()
        chunks.append(chunk)
        chunkStarts.append(settledCount)
        settledCount += chunk.count
    }

    /// Notes what an entry tells of the files before it, and whether it is such a file itself.
    private mutating func examine(_ index: Int) {
        let entry = unsettled[index]
        let position = EntryPosition(entry)
        while let file = openFiles.last, !position.mayPrecedeDirectory(named: unsettled[file].name) {
            openFiles.removeLast()
        }
        if !entry.isDirectory {
            openFiles.append(index)
        } else if let file = openFiles.last, unsettled[file].name == entry.name {
            shadowed.insert(file)
            openFiles.removeLast()
        }
    }

    /// The settled entries from `index` on, as far as they lie in one piece; `nil` where there are none yet.
    func entries(from index: Int) -> DirectorySlice? {
        guard index < settledCount else { return nil }
        let chunk = chunkStarts.partitioningIndex { $0 > index } - 1
        return DirectorySlice(chunks[chunk], index - chunkStarts[chunk]..<chunks[chunk].count)
    }

    /// What the pages so far say of a name.
    enum Answer: Equatable {
        case present(DirectoryEntry)
        case absent
        /// Not listed so far, and not yet past the places where it would be.
        case unknown
    }

    /// What the pages so far say of `name`: a directory of that name first, then a file that no directory can hide any
    /// more.
    func answer(for name: Name) -> Answer {
        if let directory = find(EntryPosition(name, isDirectory: true)) { return .present(directory) }
        guard isComplete || lastKey.map({ $0 >= prefix.appending(name.bytes + [Key.delimiter]) }) ?? false else {
            return .unknown
        }
        return find(EntryPosition(name, isDirectory: false)).map { .present($0) } ?? .absent
    }

    /// The index of the settled entry at `position`.
    func index(of position: EntryPosition) -> Int? {
        let chunk = chunkIndex(of: position)
        guard chunk < chunks.count else { return nil }
        return chunks[chunk].index(of: position.bytes).map { chunkStarts[chunk] + $0 }
    }

    private func find(_ position: EntryPosition) -> DirectoryEntry? {
        let chunk = chunkIndex(of: position)
        if chunk < chunks.count { return chunks[chunk].index(of: position.bytes).map { chunks[chunk].entry($0) } }
        let index = unsettled.partitioningIndex { EntryPosition($0) >= position }
        return index < unsettled.count && EntryPosition(unsettled[index]) == position ? unsettled[index] : nil
    }

    /// Which chunk has the entry at `position`, if it is settled; their count if it isn't.
    private func chunkIndex(of position: EntryPosition) -> Int {
        let bytes = position.bytes
        return chunks.partitioningIndex { $0.firstIndex(notBefore: bytes) < $0.count }
    }
}

/// What one page added to a listing.
struct ListingGrowth {
    /// Entries that are settled now.
    let entryCount: Int
    /// Keys that turned out to be hidden.
    let hiddenCount: Int
    /// The first hidden key of the whole listing, if there is one.
    let firstHidden: Key?
}
