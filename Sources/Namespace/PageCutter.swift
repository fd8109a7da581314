import ObjectStore

extension PageCoverage {
    /// Divides the page by directory, from `root` down: the directories that contain its keys, that end within it, or
    /// that are parents of its prefix. A directory comes behind its subdirectories.
    ///
    /// - Parameters:
    ///   - root: The prefix of a directory that contains all keys of the page.
    ///   - account: The account of the blocks' memory.
    func coverages(below root: Key, account: BlockAccount) -> [DirectoryCoverage] {
        if interval.isEmpty { return [] }
        var cutter = PageCutter(page: self, root: root, account: account)
        for item in items { cutter.take(item) }
        return cutter.finish()
    }

    /// Returns the coverage of the directory of `prefix`, which contains all keys of the page; `nil` if the page covers
    /// nothing of it.
    func coverage(of prefix: Key, account: BlockAccount) -> DirectoryCoverage? {
        coverages(below: prefix, account: account).last { $0.block.prefix == prefix }
    }
}

/// Divides a page into the coverage of its directories, in one pass over its items.
private struct PageCutter {
    /// A directory that more items may follow for.
    private struct PendingDirectory {
        let prefix: Key
        var entries: EntryBlock.Builder
        var hidden = HiddenKeys()
        /// `true` if the parent directory has this one as an entry. A directory that was only begun because the page
        /// begins in it becomes an entry when an item in it is found.
        var isEntered: Bool
    }

    private let page: PageCoverage
    private let account: BlockAccount
    /// The length limit of prefixes: what is below longer ones is rolled up.
    private let prefixByteCountMax: Int
    /// Each is a subdirectory of the one before it.
    private var open: [PendingDirectory] = []
    private var coverages: [DirectoryCoverage] = []

    init(page: PageCoverage, root: Key, account: BlockAccount) {
        self.page = page
        self.account = account
        prefixByteCountMax = page.isDelimited ? page.prefix.folderPrefix.bytes.count : .max
        begin(root, isEntered: true)
        // The page begins within these: it covers the rest of them, even if that is empty.
        while let name = subdirectory(of: page.interval.lower), Name.flaw(of: name) == nil {
            begin(Key(page.interval.lower.bytes[...name.endIndex]), isEntered: false)
        }
    }

    /// Returns the name of the subdirectory of the innermost open directory that contains `key`, if the page covers it.
    private func subdirectory(of key: Key) -> ArraySlice<UInt8>? {
        let prefixByteCount = open[open.count - 1].prefix.bytes.count
        let relative = key.bytes[prefixByteCount...]
        guard let end = relative.firstIndex(of: Key.delimiter), end < prefixByteCountMax else { return nil }
        return relative[..<end]
    }

    private mutating func begin(_ prefix: Key, isEntered: Bool) {
        open.append(
            PendingDirectory(
                prefix: prefix, entries: EntryBlock.Builder(prefix: prefix, reserving: 16, account: account),
                isEntered: isEntered))
    }

    mutating func take(_ item: ListPage.Item) {
        let key = item.key
        while open.count > 1, !key.hasPrefix(open[open.count - 1].prefix) { close() }
        if !open[open.count - 1].isEntered { enter() }
        while let name = subdirectory(of: key) {
            guard addDirectory(name, of: key) else { return }
            begin(Key(key.bytes[...name.endIndex]), isEntered: true)
        }
        addLast(item)
    }

    /// An item in the innermost open directory was found, so all open ones exist.
    private mutating func enter() {
        for index in open.indices.dropFirst() where !open[index].isEntered {
            open[index].isEntered = true
            let name = open[index].prefix.bytes[open[index - 1].prefix.bytes.count...].dropLast()
            open[index - 1].entries.append(directory: name)
        }
    }

    /// Adds an item to the innermost directory that the page covers. The directory's own marker, of any size, is no
    /// entry.
    private mutating func addLast(_ item: ListPage.Item) {
        let innermost = open.count - 1
        switch (KeyClassification(item.key, below: open[innermost].prefix), item) {
        case (.marker, _):
            break
        case (.file(let name), .object(let object)):
            open[innermost].entries.append(file: name, object: object)
        case (.directory(let name), _):
            addDirectory(name, of: item.key)
        case (.hidden, _), (.file, .commonPrefix):
            open[innermost].hidden.note(item.key)
        }
    }

    /// Adds a subdirectory that contains `key` to the innermost open directory. Returns `false` if its name is invalid.
    @discardableResult
    private mutating func addDirectory(_ name: ArraySlice<UInt8>, of key: Key) -> Bool {
        let innermost = open.count - 1
        guard Name.flaw(of: name) == nil else {
            open[innermost].hidden.note(key)
            return false
        }
        let isKnown = open[innermost].entries.lastSortKey.map {
            $0.count == name.count + 1 && $0.last == Key.delimiter && $0.starts(with: name)
        }
        if isKnown != true { open[innermost].entries.append(directory: name) }
        return true
    }

    private mutating func close() {
        let coverage = open.removeLast()
        let interval = sortKeys(of: coverage.prefix)
        if interval.isEmpty { return }
        coverages.append(
            DirectoryCoverage(block: coverage.entries.finish(), interval: interval, hidden: coverage.hidden))
    }

    consuming func finish() -> [DirectoryCoverage] {
        while !open.isEmpty { close() }
        return coverages
    }

    /// Returns the range of a directory's sort keys that the page covers. A subdirectory has one sort key. It is
    /// covered if the page has a key below it; if the page only begins or ends within it, without such a key, it isn't.
    private func sortKeys(of prefix: Key) -> KeyInterval {
        let byteCount = prefix.bytes.count
        let lower = max(page.interval.lower, prefix)
        let upper = page.interval.upper.flatMap { $0.hasPrefix(prefix) ? $0 : nil }
        return KeyInterval(
            lower: lower.hasPrefix(prefix) ? firstSortKey(from: lower, byteCount: byteCount) : .empty,
            upper: upper.map { endSortKey(at: $0, byteCount: byteCount) })
    }

    /// Returns the first sort key of a directory that a page beginning at `key` covers.
    private func firstSortKey(from key: Key, byteCount: Int) -> Key {
        guard let subdirectory = divided(key, byteCount: byteCount) else { return key.dropping(byteCount) }
        let isThere = page.items.first?.key.hasPrefix(subdirectory) ?? false
        return (isThere ? subdirectory : subdirectory.endOfPrefix ?? subdirectory).dropping(byteCount)
    }

    /// Returns the first sort key of a directory that a page ending at `key` doesn't cover.
    private func endSortKey(at key: Key, byteCount: Int) -> Key {
        guard let subdirectory = divided(key, byteCount: byteCount) else { return key.dropping(byteCount) }
        let isThere = page.items.last?.key.hasPrefix(subdirectory) ?? false
        return (isThere ? subdirectory.endOfPrefix ?? subdirectory : subdirectory).dropping(byteCount)
    }

    /// Returns the prefix of the subdirectory that contains `key`; `nil` if `key` lies between sort keys.
    private func divided(_ key: Key, byteCount: Int) -> Key? {
        guard let end = key.bytes[byteCount...].firstIndex(of: Key.delimiter), end + 1 < key.bytes.count else {
            return nil
        }
        return Key(key.bytes[...end])
    }
}
