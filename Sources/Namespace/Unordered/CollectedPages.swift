import ObjectStore

/// The pages of one directory of a store that doesn't list in order. Each proves only that its entries exist; all of
/// them together prove that there are no others.
struct CollectedPages {
    private(set) var blocks: [EntryBlock] = []
    private var tokens: Set<ContinuationToken> = []
    /// The keys that no path can name.
    private(set) var hidden = HiddenKeys()
    /// The token of the next page; `nil` before the first page, and behind the last.
    private(set) var next: ContinuationToken?

    /// The number of entries on a page of S3.
    private static let blockEntryCount = 1_000

    /// Adds the next page. Returns `true` if it was the last one.
    ///
    /// - Throws: `malformedResponse` if the page leads back to an earlier one.
    mutating func add(_ coverage: DirectoryCoverage, next: ContinuationToken?) throws(StoreError) -> Bool {
        blocks.append(coverage.block)
        hidden.add(coverage.hidden)
        self.next = next
        guard let next else { return true }
        guard tokens.insert(next).inserted else {
            throw StoreError(
                .malformedResponse, "the listing of \"\(coverage.block.prefix)\" repeats a page"
            )
        }
        return false
    }

    /// Returns all entries in the order of sort keys, each once. If a key is on several pages, the last one counts.
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
    /// Returns the entries on an unordered page of the directory of `prefix`.
    ///
    /// - Throws: `malformedResponse` if a key isn't in the directory.
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
    /// All entries of a directory, in blocks in the order of sort keys; `nil` if the blocks aren't in order.
    ///
    /// - Parameter hidden: Receives the files that directories of the same name hide.
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
