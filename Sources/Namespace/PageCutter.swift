import ObjectStore

extension PageCoverage {
    /// The page, cut into what it tells of each directory from `root` on down: of those that its keys are in, those whose
    /// end it proves, and those that lead to its prefix. A directory comes behind all that are in it.
    ///
    /// - Parameters:
    ///   - root: The prefix of a directory that all keys of the page are in.
    ///   - account: Where the coverages' memory is counted.
    func coverages(below root: Key, account: BlockAccount) -> [DirectoryCoverage] {
        if interval.isEmpty { return [] }
        var cutter = PageCutter(page: self, root: root, account: account)
        for item in items { cutter.take(item) }
        return cutter.finish()
    }

    /// What the page tells of the directory of `prefix`, in which all its keys are; `nil` where that is nothing.
    func coverage(of prefix: Key, account: BlockAccount) -> DirectoryCoverage? {
        coverages(below: prefix, account: account).last { $0.block.prefix == prefix }
    }
}

/// Cuts a page into coverages, in one pass over its items.
private struct PageCutter {
    /// A directory of which more may come.
    private struct PendingDirectory {
        let prefix: Key
        var entries: EntryBlock.Builder
        var hidden = HiddenKeys()
        /// Whether the directory it is in has it as an entry. One that was only opened because the page begins in it is no
        /// entry before something is found in it.
        var isEntered: Bool
    }

    private let page: PageCoverage
    private let account: BlockAccount
    /// Directories longer than this are not told of: what is below them is rolled up.
    private let prefixByteCountMax: Int
    /// Each is in the one before it.
    private var open: [PendingDirectory] = []
    private var coverages: [DirectoryCoverage] = []

    init(page: PageCoverage, root: Key, account: BlockAccount) {
        self.page = page
        self.account = account
        prefixByteCountMax = page.isDelimited ? page.prefix.folderPrefix.bytes.count : .max
        begin(root, isEntered: true)
        // The page begins within these: the rest of them is told of, also where it is empty.
        while let name = subdirectory(of: page.interval.lower), Name.isName(name) {
            begin(Key(page.interval.lower.bytes[...name.endIndex]), isEntered: false)
        }
    }

    /// The name of the directory that `key` is in, within the innermost open one, if the page tells of it.
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
        while open.count > 1, !item.key.hasPrefix(open[open.count - 1].prefix) { close() }
        enter()
        while let name = subdirectory(of: item.key) {
            guard addDirectory(name, of: item.key) else { return }
            begin(Key(item.key.bytes[...name.endIndex]), isEntered: true)
        }
        addLast(item)
    }

    /// Something was found in the innermost open directory, so all open ones exist.
    private mutating func enter() {
        for index in open.indices.dropFirst() where !open[index].isEntered {
            open[index].isEntered = true
            let name = open[index].prefix.bytes[open[index - 1].prefix.bytes.count...].dropLast()
            open[index - 1].entries.append(directory: name)
        }
    }

    /// Adds what the item is in the innermost directory that the page tells of.
    private mutating func addLast(_ item: ListPage.Item) {
        let innermost = open.count - 1
        switch (KeyClassification(item.key, below: open[innermost].prefix), item) {
        case (.marker, _):
            break
        case (.file(let name), .object(let object)):
            open[innermost].entries.append(file: name.bytes, object: object)
        case (.directory(let name), _):
            addDirectory(name.bytes[...], of: item.key)
        case (.hidden, _), (.file, .commonPrefix):
            open[innermost].hidden.note(item.key)
        }
    }

    /// Adds a subdirectory that `key` is in to the innermost open directory. Whether it can be named.
    @discardableResult
    private mutating func addDirectory(_ name: ArraySlice<UInt8>, of key: Key) -> Bool {
        let innermost = open.count - 1
        guard Name.isName(name) else {
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

    /// Which sortKeys of a directory the page tells of. A subdirectory is one sortKey: one that the page has something
    /// of is there, and one of which it begins or ends in the middle without having anything of it is left out.
    private func sortKeys(of prefix: Key) -> KeyInterval {
        let byteCount = prefix.bytes.count
        let lower = max(page.interval.lower, prefix)
        let upper = page.interval.upper.flatMap { $0.hasPrefix(prefix) ? $0 : nil }
        return KeyInterval(
            lower: lower.hasPrefix(prefix) ? firstSortKey(from: lower, byteCount: byteCount) : .empty,
            upper: upper.map { endSortKey(at: $0, byteCount: byteCount) })
    }

    /// The first sortKey of a directory that a page that begins at `key` tells of.
    private func firstSortKey(from key: Key, byteCount: Int) -> Key {
        guard let subdirectory = divided(key, byteCount: byteCount) else { return key.dropping(byteCount) }
        let isThere = page.items.first?.key.hasPrefix(subdirectory) ?? false
        return (isThere ? subdirectory : subdirectory.endOfPrefix ?? subdirectory).dropping(byteCount)
    }

    /// The first sortKey of a directory that a page that ends at `key` doesn't tell of.
    private func endSortKey(at key: Key, byteCount: Int) -> Key {
        guard let subdirectory = divided(key, byteCount: byteCount) else { return key.dropping(byteCount) }
        let isThere = page.items.last?.key.hasPrefix(subdirectory) ?? false
        return (isThere ? subdirectory.endOfPrefix ?? subdirectory : subdirectory).dropping(byteCount)
    }

    /// The prefix of the subdirectory that `key` lies in the middle of; `nil` where it lies between sortKeys.
    private func divided(_ key: Key, byteCount: Int) -> Key? {
        guard let end = key.bytes[byteCount...].firstIndex(of: Key.delimiter), end + 1 < key.bytes.count else {
            return nil
        }
        return Key(key.bytes[...end])
    }
}

extension Name {
    /// Whether these bytes are a name.
    fileprivate static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.withUnsafeBytes { flaw(of: $0) == nil }
    }
}
