import ObjectStore

/// The pages of one directory of a store that lists in no order. Each proves only that its entries are there; all of them
/// together, from the first one to the last, prove that there are no others.
struct CollectedPages {
    private(set) var blocks: [EntryBlock] = []
    private var tokens: Set<ContinuationToken> = []
    /// The keys that no path can name.
    private(set) var hidden = HiddenKeys()
    /// The token of the next page; `nil` before the first page, and after the last.
    private(set) var next: ContinuationToken?

    /// As many entries as a page of S3 has.
    private static let blockEntryCount = 1_000

    /// Takes the next page. Returns whether it was the last one.
    ///
    /// - Throws: `malformedResponse` where the page leads back to one that has come already.
    mutating func add(_ coverage: DirectoryCoverage, next: ContinuationToken?) throws(StoreError) -> Bool {
        blocks.append(coverage.block)
        hidden.add(coverage.hidden)
        self.next = next
        guard let next else { return true }
        guard tokens.insert(next).inserted else {
            throw StoreError(
                .malformedResponse, "the listing of \"\(coverage.block.prefix)\" comes back to a page that it has given"
            )
        }
        return false
    }

    /// All entries in the order of sortKeys, each once. Of a key that stands on several pages the last one counts.
    func sortedBlocks(of prefix: Key, account: BlockAccount) -> [EntryBlock] {
        if blocks.count == 1 { return blocks }
        var entries: [(block: Int, index: Int)] = []
        entries.reserveCapacity(blocks.reduce(0) { $0 + $1.count })
        for (number, block) in blocks.enumerated() {
            for index in 0..<block.count { entries.append((number, index)) }
        }
        entries.sort { left, right in
            blocks[left.block].withSortKey(left.index) { left in
                blocks[right.block].withSortKey(right.index) { left.compare(with: $0) }
            }
            .map { $0 < 0 } ?? (left.block < right.block)
        }
        var sorted: [EntryBlock] = []
        var builder = EntryBlock.Builder(prefix: prefix, reserving: Self.blockEntryCount, account: account)
        for (number, entry) in entries.enumerated() {
            if number + 1 < entries.count, hasSameSortKey(entry, entries[number + 1]) { continue }
            if builder.count == Self.blockEntryCount {
                sorted.append(builder.finish())
                builder = EntryBlock.Builder(prefix: prefix, reserving: Self.blockEntryCount, account: account)
            }
            builder.append(entry.index, of: blocks[entry.block])
        }
        sorted.append(builder.finish())
        return sorted
    }

    private func hasSameSortKey(_ left: (block: Int, index: Int), _ right: (block: Int, index: Int)) -> Bool {
        blocks[left.block].withSortKey(left.index) { sortKey in
            blocks[right.block].withSortKey(right.index) { sortKey.isEqual(to: $0) }
        }
    }
}

extension ListPage {
    /// The entries that an unordered page of the directory of `prefix` has.
    ///
    /// - Throws: `malformedResponse` where a key isn't in the directory.
    func unorderedCoverage(of prefix: Key, account: BlockAccount) throws(StoreError) -> DirectoryCoverage {
        var page = self
        page.isOrdered = true
        page.items.sort { $0.key < $1.key }
        var last: Key?
        page.items.removeAll { item in
            defer { last = item.key }
            return item.key == last
        }
        page.next = nil
        do throws(PageFlaw) {
            let coverage = try PageCoverage(page, of: ListRequest(prefix: prefix, isDelimited: true))
            if let coverage = coverage.coverage(of: prefix, account: account) { return coverage }
        } catch {
            throw error.asMalformedResponse(prefix)
        }
        return DirectoryCoverage(
            block: EntryBlock.Builder(prefix: prefix, reserving: 0, account: account).finish(),
            interval: KeyInterval(lower: .empty, upper: nil), hidden: HiddenKeys())
    }
}

extension KnownEntries {
    /// All entries of a directory, in blocks that follow each other in the order of sortKeys; `nil` where they don't.
    ///
    /// - Parameter hidden: Notes the files that turn out to be hidden by directories of the same name.
    init?(whole blocks: [EntryBlock], hidden: inout HiddenKeys) {
        self.init()
        for (index, block) in blocks.enumerated() {
            let lower: Key = index == 0 ? .empty : Key(block.sortKey(0))
            let upper = index + 1 < blocks.count ? Key(blocks[index + 1].sortKey(0)) : nil
            if let upper, upper <= Key(block.sortKey(block.count - 1)) { return nil }
            hidden.add(
                absorb(
                    DirectoryCoverage(
                        block: block, interval: KeyInterval(lower: lower, upper: upper), hidden: HiddenKeys())))
        }
    }
}
