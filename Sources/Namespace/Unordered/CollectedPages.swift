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
    mutating func add(_ section: ProvenSection, next: ContinuationToken?) throws(StoreError) -> Bool {
        blocks.append(section.block)
        hidden.add(section.hidden)
        self.next = next
        guard let next else { return true }
        guard tokens.insert(next).inserted else {
            throw StoreError(
                .malformedResponse, "the listing of \"\(section.block.prefix)\" comes back to a page that it has given")
        }
        return false
    }

    /// All entries in the order of positions, each once. Of a key that stands on several pages the last one counts.
    func sortedBlocks(of prefix: Key, account: BlockAccount) -> [EntryBlock] {
        if blocks.count == 1 { return blocks }
        var places: [(block: Int, index: Int)] = []
        places.reserveCapacity(blocks.reduce(0) { $0 + $1.count })
        for (number, block) in blocks.enumerated() {
            for index in 0..<block.count { places.append((number, index)) }
        }
        places.sort { left, right in
            blocks[left.block].withPosition(left.index) { left in
                blocks[right.block].withPosition(right.index) { left.compare(with: $0) }
            }
            .map { $0 < 0 } ?? (left.block < right.block)
        }
        var sorted: [EntryBlock] = []
        var builder = EntryBlock.Builder(prefix: prefix, reserving: Self.blockEntryCount, account: account)
        for (number, place) in places.enumerated() {
            if number + 1 < places.count, isSamePosition(place, places[number + 1]) { continue }
            if builder.count == Self.blockEntryCount {
                sorted.append(builder.finish())
                builder = EntryBlock.Builder(prefix: prefix, reserving: Self.blockEntryCount, account: account)
            }
            builder.append(place.index, of: blocks[place.block])
        }
        sorted.append(builder.finish())
        return sorted
    }

    private func isSamePosition(_ left: (block: Int, index: Int), _ right: (block: Int, index: Int)) -> Bool {
        blocks[left.block].withPosition(left.index) { position in
            blocks[right.block].withPosition(right.index) { position.isEqual(to: $0) }
        }
    }
}

extension ListPage {
    /// The entries that an unordered page of the directory of `prefix` has.
    ///
    /// - Throws: `malformedResponse` where a key isn't in the directory.
    func unorderedSection(of prefix: Key, account: BlockAccount) throws(StoreError) -> ProvenSection {
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
            let proven = try ProvenPage(page, of: ListRequest(prefix: prefix, isDelimited: true))
            if let section = proven.section(of: prefix, account: account) { return section }
        } catch {
            throw error.asMalformedResponse(prefix)
        }
        return ProvenSection(
            block: EntryBlock.Builder(prefix: prefix, reserving: 0, account: account).finish(),
            interval: KeyInterval(lower: .empty, upper: nil), hidden: HiddenKeys())
    }
}

extension ProvenEntries {
    /// All entries of a directory, in blocks that follow each other in the order of positions; `nil` where they don't.
    ///
    /// - Parameter hidden: Notes the files that turn out to be hidden by directories of the same name.
    init?(whole blocks: [EntryBlock], hidden: inout HiddenKeys) {
        self.init()
        for (index, block) in blocks.enumerated() {
            let lower: Key = index == 0 ? .empty : Key(block.position(0))
            let upper = index + 1 < blocks.count ? Key(blocks[index + 1].position(0)) : nil
            if let upper, upper <= Key(block.position(block.count - 1)) { return nil }
            hidden.add(
                absorb(
                    ProvenSection(
                        block: block, interval: KeyInterval(lower: lower, upper: upper), hidden: HiddenKeys())))
        }
    }
}
