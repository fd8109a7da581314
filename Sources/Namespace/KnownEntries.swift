import Algorithms
import ObjectStore

/// What the pages so far have proven of one directory: all from its beginning up to some sortKey, the *front*, and
/// stretches beyond it, the *islands*.
///
/// What was proven first stays: a page adds what lies in the gaps, and nothing else, so that an answer never changes. Only
/// the front's end says whether the directory is complete, and nothing moves that but proof that begins where it is.
///
/// In the order of keys a file "a" stands before the directory "a/" that hides it (the directory wins), with up to any
/// number of keys between the two, as "a-1". A file is therefore *settled* only when the front has come past the place where
/// its directory would be; entries from the first unsettled file on are held back. Settled entries have an index, which is
/// what `readdir` continues by.
struct KnownEntries {
    /// Entries beyond the front, all of the interval.
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
    /// How many entries are settled.
    private(set) var settledCount = 0
    /// Runs of the front, none of them empty, that are held back.
    private var held: [EntrySlice] = []
    /// The first sortKey that the front hasn't come to; `nil` where it has come to the end of the directory.
    private(set) var frontEnd: Key? = .empty
    /// In the order of sortKeys; none touches the front.
    private var islands: [Island] = []

    /// Whether all of the directory is proven, without a gap.
    var isComplete: Bool { frontEnd == nil }

    /// Whether nothing is proven.
    var isEmpty: Bool { frontEnd?.bytes.isEmpty == true && islands.isEmpty }

    // MARK: Growing

    /// Takes what a page tells of the directory, as far as it wasn't known. Returns the files that turned out to be hidden
    /// by directories of the same name.
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

    /// What of `interval` isn't proven.
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

    /// Returns `true` if a page tells of an entry that isn't there by what is proven.
    func contradicts(_ coverage: DirectoryCoverage) -> Bool {
        var seen = coverage.interval.lower
        // What is new contradicts nothing: as a rule that is all of it.
        for gap in gaps(in: coverage.interval) {
            if hasAbsent(coverage.block, in: KeyInterval(lower: seen, upper: gap.lower)) { return true }
            guard let end = gap.upper else { return false }
            seen = end
        }
        return hasAbsent(coverage.block, in: KeyInterval(lower: seen, upper: coverage.interval.upper))
    }

    /// Returns `true` if an entry of `block` in `interval`, all of which is proven, isn't there. A file that a directory hides is.
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

    /// Adds a slice at the front's end, without the files that its directories hide.
    private mutating func hold(_ slice: EntrySlice, _ hidden: inout HiddenKeys) {
        if slice.isEmpty { return }
        held.append(slice)
        var previous = held.count > 1 ? held[held.count - 2].last : nil
        for index in slice.range {
            let entry = ListedEntry(block: slice.block, index: index)
            // All that stands between a file and the directory that hides it begins with their name.
            if slice.block.isDirectory(index), let previous, previous.begins(withNameOf: entry) {
                hideFile(named: slice.block.withName(index) { Array($0) }, &hidden)
            }
            previous = entry
        }
    }

    /// Takes a file out of what is held back.
    private mutating func hideFile(named name: [UInt8], _ hidden: inout HiddenKeys) {
        let number = heldNumber(of: name)
        guard number < held.count, let index = held[number].index(of: name) else { return }
        hidden.note(held[number].block.key(index))
        let slice = held[number]
        let rest = [slice.prefix(upTo: index), slice.suffix(from: index + 1)].filter { !$0.isEmpty }
        held.replaceSubrange(number...number, with: rest)
    }

    /// Which of the slices that are held back has the entry at `sortKey`, if one has it.
    private func heldNumber(of sortKey: [UInt8]) -> Int {
        max(held.partitioningIndex { !$0.begins(notAfter: sortKey) } - 1, 0)
    }

    /// Settles what stands before the first file that a directory may yet hide.
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

    /// The first file of the front whose directory the front hasn't come to: which slice has it, and the block's index. Its
    /// name begins the sortKey that the front ends at, and a byte below "/" or that very "/" follows there.
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

    /// What is known of a name.
    enum Answer {
        case present(ListedEntry)
        case absent
        /// Not proven so far.
        case unknown
    }

    /// What is known of `name`: a directory of that name first, then a file that no directory can hide any more.
    func answer(for name: Name) -> Answer {
        switch entry(at: name.bytes + [Key.delimiter]) {
        case .present(let entry): .present(entry)
        case .absent: entry(at: name.bytes)
        case .unknown: .unknown
        }
    }

    /// What is known of a sortKey.
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

    /// The index of the settled entry at `sortKey`.
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

    /// Which slice of the front has the entry at `sortKey`, if one has it.
    private func frontSlice(at sortKey: [UInt8]) -> EntrySlice? {
        if let first = held.first, first.begins(notAfter: sortKey) { return held[heldNumber(of: sortKey)] }
        return settledNumber(of: sortKey).map { settled[$0].slice }
    }

    private func settledNumber(of sortKey: [UInt8]) -> Int? {
        let number = settled.partitioningIndex { !$0.slice.begins(notAfter: sortKey) } - 1
        return number < 0 ? nil : number
    }

    /// Which island tells of `sortKey`.
    private func island(at sortKey: Key) -> Int? {
        let number = islands.partitioningIndex { $0.interval.lower > sortKey } - 1
        return number >= 0 && islands[number].interval.contains(sortKey) ? number : nil
    }

    // MARK: Entries in order

    /// The settled entries from `index` on, as far as they lie in one piece; `nil` where there are none yet.
    func entries(from index: Int) -> EntrySlice? {
        guard index < settledCount else { return nil }
        let number = settled.partitioningIndex { $0.start > index } - 1
        let slice = settled[number].slice
        return slice.suffix(from: slice.range.lowerBound + index - settled[number].start)
    }

    /// All settled entries.
    var settledSlices: [EntrySlice] { settled.map(\.slice) }

    /// The slices of the settled entries from `index` on, where a slice begins, each with the index of its first entry.
    func settledSlices(from index: Int) -> [(start: Int, slice: EntrySlice)] {
        settled[settled.partitioningIndex { $0.start >= index }...].map { ($0.start, $0.slice) }
    }

    /// The sortKey of the front's last entry: between it and the front's end there is nothing.
    var lastSortKey: [UInt8]? {
        (held.last ?? settled.last?.slice).map { $0.block.sortKey($0.range.upperBound - 1) }
    }

    /// What comes next in a directory.
    enum NextSubdirectory: Equatable {
        /// A subdirectory, with nothing unproven before it.
        case name([UInt8])
        /// A sortKey that nothing is known of.
        case unknown(Key)
        /// Nothing up to the end of the directory.
        case none
    }

    /// The first subdirectory at or behind `sortKey`, if all before it is proven.
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

    /// The names of subdirectories at or behind `sortKey` that are known, in order, `limit` of them at the most. There may
    /// be others between them.
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

    /// What this takes beside the blocks, in bytes, about.
    var byteCount: Int {
        settled.capacity * MemoryLayout<SettledSlice>.stride + held.capacity * MemoryLayout<EntrySlice>.stride
            + islands.capacity * (MemoryLayout<Island>.stride + Self.islandKeyByteCount)
    }

    /// What an island's two keys take.
    private static let islandKeyByteCount = 128

    /// The blocks that entries are in, each as often as there are slices of it.
    var blocks: [EntryBlock] {
        settled.map(\.slice.block) + held.map(\.block) + islands.map(\.slice.block)
    }
}

extension KnownEntries {
    /// The settled entries of a process that is gone. What it had proven beyond the last of them isn't known any more.
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

    /// The directories of settled files were known to be absent, also behind the last entry, and stay so: their names were
    /// given.
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
    /// The names of the subdirectories at or behind `sortKey`, in order, `limit` of them at the most.
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
    /// Whether the entry's sortKey begins with the name of `other`.
    fileprivate func begins(withNameOf other: ListedEntry) -> Bool {
        block.withSortKey(index) { sortKey in
            other.block.withName(other.index) { name in
                sortKey.count >= name.count
                    && UnsafeRawBufferPointer(rebasing: sortKey[..<name.count]).isEqual(to: name)
            }
        }
    }
}
