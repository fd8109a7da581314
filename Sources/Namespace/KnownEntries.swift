import SystemSupport
import ObjectStore

/// The known entries of one directory: all entries from its beginning up to some sort key, the *front*, and ranges
/// beyond it, the *islands*.
///
/// Known entries never change: a page only fills gaps, so that an answer stays the same. The directory is complete when
/// the front has reached its end, and only a page that begins at the end of the front can extend it.
///
/// In the order of keys a file "a" comes before the directory "a/", which hides it (the directory wins), with any
/// number of keys between them, such as "a-1". A file is therefore *settled* only when the front has passed the sort
/// key of that directory; entries from the first unsettled file on are held back. Settled entries have an index, at
/// which `readdir` continues.
struct KnownEntries {
    /// All entries of an interval beyond the front.
    private struct Island {
        let interval: KeyInterval
        let slice: EntrySlice
    }

    /// Settled entries, and the index of the first of them.
    private struct SettledSlice {
        let slice: EntrySlice
        let start: Int
    }

    private var settled: [SettledSlice] = []
    /// The number of settled entries.
    private(set) var settledCount = 0
    /// The slices of the front that are held back; none is empty.
    private var held: [EntrySlice] = []
    /// The first sort key behind the front; `nil` if the front has reached the end of the directory.
    private(set) var frontEnd: Key? = .empty
    /// The islands, in the order of sort keys; none touches the front.
    private var islands: [Island] = []

    /// `true` if all entries are known.
    var isComplete: Bool { frontEnd == nil }

    // MARK: Growing

    /// Adds the part of a page's coverage that wasn't known. Returns the files that directories of the same name turned
    /// out to hide.
    mutating func absorb(_ coverage: DirectoryCoverage) -> HiddenKeys {
        var hidden = HiddenKeys()
        for gap in gaps(in: coverage.interval) {
            insert(Island(interval: gap, slice: EntrySlice(coverage.block, in: gap)))
        }
        while let island = islands.first, let end = frontEnd, island.interval.lower <= end {
            islands.removeFirst()
            frontEnd = island.interval.upper
            hold(island.slice, &hidden)
        }
        settle()
        return hidden
    }

    /// Returns the unknown parts of `interval`.
    private func gaps(in interval: KeyInterval) -> [KeyInterval] {
        guard let frontEnd else { return [] }
        var gaps: [KeyInterval] = []
        var lower = max(interval.lower, frontEnd)
        var index = islands.partitioningIndex { $0.interval.upper.map { $0 > lower } ?? true }
        while interval.upper.map({ lower < $0 }) ?? true {
            let island = index < islands.count ? islands[index].interval : nil
            let gap = KeyInterval(lower: lower, upper: KeyInterval.earlierEnd(interval.upper, island?.lower))
            if !gap.isEmpty { gaps.append(gap) }
            guard let island, let end = island.upper else { break }
            lower = max(lower, end)
            index += 1
        }
        return gaps
    }

    /// Returns `true` if a page has an entry that is known to be absent.
    func contradicts(_ coverage: DirectoryCoverage) -> Bool {
        var seen = coverage.interval.lower
        // New entries contradict nothing, and as a rule all are new.
        for gap in gaps(in: coverage.interval) {
            if hasAbsent(coverage.block, in: KeyInterval(lower: seen, upper: gap.lower)) { return true }
            guard let end = gap.upper else { return false }
            seen = end
        }
        return hasAbsent(coverage.block, in: KeyInterval(lower: seen, upper: coverage.interval.upper))
    }

    /// Returns `true` if an entry of `block` in `interval`, all of which is known, is absent. A file that a directory
    /// hides isn't.
    private func hasAbsent(_ block: EntryBlock, in interval: KeyInterval) -> Bool {
        if interval.isEmpty { return false }
        return EntrySlice(block, in: interval).range.contains { index in
            let sortKey = block.sortKey(index)
            guard case .absent = entry(at: sortKey) else { return false }
            if sortKey.last != Key.delimiter, case .present = entry(at: sortKey + [Key.delimiter]) { return false }
            return true
        }
    }

    private mutating func insert(_ island: Island) {
        islands.insert(island, at: islands.partitioningIndex { $0.interval.lower > island.interval.lower })
    }

    /// Adds a slice at the end of the front, without the files that its directories hide.
    private mutating func hold(_ slice: EntrySlice, _ hidden: inout HiddenKeys) {
        if slice.isEmpty { return }
        let last = held.last?.last
        held.append(slice)
        for index in slice.range where slice.block.isDirectory(index) {
            let previous =
                index > slice.range.lowerBound ? ListedEntry(block: slice.block, index: index - 1) : last
            // All entries between a file and the directory that hides it begin with their name.
            if let previous, previous.begins(withNameOf: ListedEntry(block: slice.block, index: index)) {
                hideFile(named: slice.block.withName(index) { Array($0) }, &hidden)
            }
        }
    }

    /// Removes a file from the entries that are held back.
    private mutating func hideFile(named name: [UInt8], _ hidden: inout HiddenKeys) {
        let number = heldNumber(of: name)
        guard number < held.count, let index = held[number].index(of: name) else { return }
        hidden.note(held[number].block.key(index))
        let slice = held[number]
        let rest = [slice.prefix(upTo: index), slice.suffix(from: index + 1)].filter { !$0.isEmpty }
        held.replaceSubrange(number...number, with: rest)
    }

    /// Returns the number of the held-back slice that contains `sortKey`, if any does.
    private func heldNumber(of sortKey: [UInt8]) -> Int {
        max(held.partitioningIndex { !$0.begins(notAfter: sortKey) } - 1, 0)
    }

    /// Settles the entries before the first file that a directory may still hide.
    private mutating func settle() {
        let end = firstOpenFile() ?? (slice: held.count, index: 0)
        for slice in held[..<end.slice] { settle(slice) }
        held.removeFirst(end.slice)
        if held.isEmpty { return }
        settle(held[0].prefix(upTo: end.index))
        held[0] = held[0].suffix(from: end.index)
    }

    mutating func settle(_ slice: EntrySlice) {
        if slice.isEmpty { return }
        settled.append(SettledSlice(slice: slice, start: settledCount))
        settledCount += slice.count
    }

    /// Returns the first file of the front with a directory's sort key behind the front: the number of its slice and
    /// its index in the block. The end of the front continues its name with "/" or a byte below it.
    private func firstOpenFile() -> (slice: Int, index: Int)? {
        guard let end = frontEnd?.bytes, !held.isEmpty else { return nil }
        for byteCount in 1..<max(end.count, 1) where end[byteCount] <= Key.delimiter {
            let name = Array(end[..<byteCount])
            let slice = heldNumber(of: name)
            if let index = held[slice].index(of: name) { return (slice, index) }
        }
        return nil
    }

    // MARK: Names

    /// The knowledge about a name.
    enum Answer {
        case present(ListedEntry)
        case absent
        /// Not known so far.
        case unknown
    }

    /// Returns the entry of `name`: a directory of that name first, then a file that no directory hides.
    func answer(for name: Name) -> Answer {
        switch entry(at: name.bytes + [Key.delimiter]) {
        case .present(let entry): .present(entry)
        case .absent: entry(at: name.bytes)
        case .unknown: .unknown
        }
    }

    /// Returns the entry with a sort key.
    func entry(at sortKey: [UInt8]) -> Answer {
        let slice: EntrySlice?
        if isInFront(sortKey) {
            slice = frontSlice(at: sortKey)
        } else if let island = island(at: Key(sortKey)) {
            slice = islands[island].slice
        } else {
            return .unknown
        }
        guard let slice, let index = slice.index(of: sortKey) else { return .absent }
        return .present(ListedEntry(block: slice.block, index: index))
    }

    /// Returns the index of the settled entry with `sortKey`.
    func index(of sortKey: [UInt8]) -> Int? {
        guard let number = settledNumber(of: sortKey), let index = settled[number].slice.index(of: sortKey) else {
            return nil
        }
        return settled[number].start + index - settled[number].slice.range.lowerBound
    }

    private func isInFront(_ sortKey: [UInt8]) -> Bool {
        guard let frontEnd else { return true }
        return sortKey.withUnsafeBytes { sortKey in frontEnd.bytes.withUnsafeBytes { sortKey.precedes($0) } }
    }

    /// Returns the slice of the front that contains `sortKey`, if any does.
    private func frontSlice(at sortKey: [UInt8]) -> EntrySlice? {
        if let first = held.first, first.begins(notAfter: sortKey) { return held[heldNumber(of: sortKey)] }
        return settledNumber(of: sortKey).map { settled[$0].slice }
    }

    private func settledNumber(of sortKey: [UInt8]) -> Int? {
        let number = settled.partitioningIndex { !$0.slice.begins(notAfter: sortKey) } - 1
        return number < 0 ? nil : number
    }

    /// Returns the island that contains `sortKey`.
    private func island(at sortKey: Key) -> Int? {
        let number = islands.partitioningIndex { $0.interval.lower > sortKey } - 1
        return number >= 0 && islands[number].interval.contains(sortKey) ? number : nil
    }

    // MARK: Entries in order

    /// Returns the settled entries from `index` on that lie in one slice; `nil` if there are none yet.
    func entries(from index: Int) -> EntrySlice? {
        guard index < settledCount else { return nil }
        let number = settled.partitioningIndex { $0.start > index } - 1
        let slice = settled[number].slice
        return slice.suffix(from: slice.range.lowerBound + index - settled[number].start)
    }

    /// The settled entries, those with an index, which no later page changes.
    var settledSlices: [EntrySlice] { settled.map(\.slice) }

    /// Returns the slices of the settled entries from `index`, the beginning of a slice, each with the index of its
    /// first entry.
    func settledSlices(from index: Int) -> [(start: Int, slice: EntrySlice)] {
        settled[settled.partitioningIndex { $0.start >= index }...].map { ($0.start, $0.slice) }
    }

    /// The sort key of the front's last entry. There is nothing between it and the end of the front.
    var lastSortKey: [UInt8]? {
        (held.last ?? settled.last?.slice).map { $0.block.sortKey($0.range.upperBound - 1) }
    }

    /// The next subdirectory of a directory, as far as it is known.
    enum NextSubdirectory: Equatable {
        /// A subdirectory, with nothing unknown before it.
        case name([UInt8])
        /// A sort key that nothing is known about.
        case unknown(Key)
        /// Nothing up to the end of the directory.
        case none
    }

    /// Returns the first subdirectory at or behind `sortKey`, if everything before it is known.
    func nextSubdirectory(from sortKey: Key) -> NextSubdirectory {
        if isInFront(sortKey.bytes) {
            if let name = frontSubdirectories(from: sortKey.bytes, limit: 1).first { return .name(name) }
            guard let frontEnd else { return .none }
            return nextSubdirectory(from: frontEnd)
        }
        var sortKey = sortKey
        while let number = island(at: sortKey) {
            if let name = islands[number].slice.subdirectories(from: sortKey.bytes, limit: 1).first {
                return .name(name)
            }
            guard let end = islands[number].interval.upper else { return .none }
            sortKey = end
        }
        return .unknown(sortKey)
    }

    /// Returns the names of known subdirectories at or behind `sortKey`, in order, at most `limit`. There may be
    /// unknown ones between them.
    func subdirectories(from sortKey: [UInt8], limit: Int) -> [[UInt8]] {
        var names = frontSubdirectories(from: sortKey, limit: limit)
        let key = Key(sortKey)
        let firstIsland = islands.partitioningIndex { $0.interval.upper.map { $0 > key } ?? true }
        for island in islands[firstIsland...] where names.count < limit {
            names += island.slice.subdirectories(from: sortKey, limit: limit - names.count)
        }
        return names
    }

    private func frontSubdirectories(from sortKey: [UInt8], limit: Int) -> [[UInt8]] {
        var names: [[UInt8]] = []
        for settled in settled[(settledNumber(of: sortKey) ?? 0)...] where names.count < limit {
            names += settled.slice.subdirectories(from: sortKey, limit: limit - names.count)
        }
        for slice in held where names.count < limit {
            names += slice.subdirectories(from: sortKey, limit: limit - names.count)
        }
        return names
    }

    // MARK: Memory

    /// The approximate memory without the blocks, in bytes.
    var byteCount: Int {
        settled.capacity * MemoryLayout<SettledSlice>.stride + held.capacity * MemoryLayout<EntrySlice>.stride
            + islands.capacity * (MemoryLayout<Island>.stride + Self.islandKeyByteCount)
    }

    /// The memory of an island's two keys.
    private static let islandKeyByteCount = 128

    /// The blocks that hold entries, each as often as it has slices.
    var blocks: [EntryBlock] {
        settled.map(\.slice.block) + held.map(\.block) + islands.map(\.slice.block)
    }
}

extension KnownEntries {
    /// The settled entries of a former process. What that process knew beyond the last of them is lost.
    init(settled slices: [EntrySlice], isComplete: Bool) {
        self.init()
        for slice in slices { settle(slice) }
        if isComplete {
            frontEnd = nil
        } else if let last = settled.last?.slice.last {
            let sortKey = Key(last.block.sortKey(last.index))
            frontEnd = last.isDirectory ? sortKey.endOfPrefix : sortKey.next
            keepAbsent(lookingFrom: sortKey.bytes)
        }
    }

    /// Keeps the directories of settled files absent, also those behind the last entry: readers have received these
    /// names as files.
    private mutating func keepAbsent(lookingFrom last: [UInt8]) {
        for byteCount in 1...last.count {
            let name = Array(last[..<byteCount])
            guard byteCount == last.count || last[byteCount] < Key.delimiter, name.last != Key.delimiter,
                index(of: name) != nil, let slice = settled.last?.slice
            else { continue }
            let directory = Key(name + [Key.delimiter])
            let nothing = slice.prefix(upTo: slice.range.lowerBound)
            insert(Island(interval: KeyInterval(lower: directory, upper: directory.endOfPrefix), slice: nothing))
        }
    }
}

extension EntrySlice {
    /// Returns the names of subdirectories at or behind `sortKey`, in order, at most `limit`.
    fileprivate func subdirectories(from sortKey: [UInt8], limit: Int) -> [[UInt8]] {
        var names: [[UInt8]] = []
        let start = max(range.lowerBound, block.firstIndex(notBefore: sortKey))
        guard start < range.upperBound else { return [] }
        for index in start..<range.upperBound where block.isDirectory(index) {
            if names.count == limit { break }
            names.append(block.withName(index) { Array($0) })
        }
        return names
    }

    fileprivate var last: ListedEntry? {
        range.isEmpty ? nil : ListedEntry(block: block, index: range.upperBound - 1)
    }
}

extension ListedEntry {
    /// Returns `true` if the entry's sort key begins with the name of `other`.
    fileprivate func begins(withNameOf other: ListedEntry) -> Bool {
        block.withSortKey(index) { sortKey in
            other.block.withName(other.index) { name in
                sortKey.count >= name.count
                    && UnsafeRawBufferPointer(rebasing: sortKey[..<name.count]).isEqual(to: name)
            }
        }
    }
}
