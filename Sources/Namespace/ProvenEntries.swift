import ObjectStore
import SystemSupport

/// What the pages so far have proven of one directory: all from its beginning up to some position, the *front*, and
/// stretches beyond it, the *islands*.
///
/// What was proven first stays: a page adds what lies in the gaps, and nothing else, so that an answer never changes. Only
/// the front's end says whether the directory is complete, and nothing moves that but proof that begins where it is.
///
/// In the order of keys a file "a" stands before the directory "a/" that hides it (the directory wins), with up to any
/// number of keys between the two, as "a-1". A file is therefore *settled* only when the front has come past the place where
/// its directory would be; entries from the first unsettled file on are held back. Settled entries have an index, which is
/// what `readdir` continues by.
struct ProvenEntries {
    /// Entries beyond the front, all of the interval.
    private struct Island {
        let interval: KeyInterval
        let run: EntryRun
    }

    /// Settled entries, and the index of the first of them.
    private struct SettledRun {
        let run: EntryRun
        let start: Int
    }

    private var settled: [SettledRun] = []
    /// How many entries are settled.
    private(set) var settledCount = 0
    /// Runs of the front, none of them empty, that are held back.
    private var held: [EntryRun] = []
    /// The first position that the front hasn't come to; `nil` where it has come to the end of the directory.
    private(set) var frontEnd: Key? = .empty
    /// In the order of positions; none touches the front.
    private var islands: [Island] = []

    /// Whether all of the directory is proven, without a gap.
    var isComplete: Bool { frontEnd == nil }

    /// Whether nothing is proven.
    var isEmpty: Bool { frontEnd?.bytes.isEmpty == true && islands.isEmpty }

    // MARK: Growing

    /// Takes what a page tells of the directory, as far as it wasn't known. Returns the files that turned out to be hidden
    /// by directories of the same name.
    mutating func absorb(_ section: ProvenSection) -> HiddenKeys {
        var hidden = HiddenKeys()
        for gap in gaps(in: section.interval) {
            insert(Island(interval: gap, run: EntryRun(section.block, in: gap)))
        }
        while let island = islands.first, let end = frontEnd, island.interval.lower <= end {
            islands.removeFirst()
            frontEnd = island.interval.upper
            hold(island.run, &hidden)
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
    func contradicts(_ section: ProvenSection) -> Bool {
        var seen = section.interval.lower
        // What is new contradicts nothing: as a rule that is all of it.
        for gap in gaps(in: section.interval) {
            if hasAbsent(section.block, in: KeyInterval(lower: seen, upper: gap.lower)) { return true }
            guard let end = gap.upper else { return false }
            seen = end
        }
        return hasAbsent(section.block, in: KeyInterval(lower: seen, upper: section.interval.upper))
    }

    /// Returns `true` if an entry of `block` in `interval`, all of which is proven, isn't there. A file that a directory hides is.
    private func hasAbsent(_ block: EntryBlock, in interval: KeyInterval) -> Bool {
        if interval.isEmpty { return false }
        return EntryRun(block, in: interval).range.contains { index in
            let position = block.position(index)
            guard case .absent = entry(at: position) else { return false }
            if position.last != Key.delimiter, case .present = entry(at: position + [Key.delimiter]) { return false }
            return true
        }
    }

    private mutating func insert(_ island: Island) {
        islands.insert(island, at: islands.partitioningIndex { $0.interval.lower > island.interval.lower })
    }

    /// Adds a run at the front's end, without the files that its directories hide.
    private mutating func hold(_ run: EntryRun, _ hidden: inout HiddenKeys) {
        if run.isEmpty { return }
        held.append(run)
        var previous = held.count > 1 ? held[held.count - 2].last : nil
        for index in run.range {
            let entry = ListedEntry(block: run.block, index: index)
            // All that stands between a file and the directory that hides it begins with their name.
            if run.block.isDirectory(index), let previous, previous.begins(withNameOf: entry) {
                hideFile(named: run.block.withName(index) { Array($0) }, &hidden)
            }
            previous = entry
        }
    }

    /// Takes a file out of what is held back.
    private mutating func hideFile(named name: [UInt8], _ hidden: inout HiddenKeys) {
        let number = heldNumber(of: name)
        guard number < held.count, let index = held[number].index(of: name) else { return }
        hidden.note(held[number].block.key(index))
        let run = held[number]
        let rest = [run.prefix(upTo: index), run.suffix(from: index + 1)].filter { !$0.isEmpty }
        held.replaceSubrange(number...number, with: rest)
    }

    /// Which of the runs that are held back has the entry at `position`, if one has it.
    private func heldNumber(of position: [UInt8]) -> Int {
        max(held.partitioningIndex { !$0.begins(notAfter: position) } - 1, 0)
    }

    /// Settles what stands before the first file that a directory may yet hide.
    private mutating func settle() {
        let end = firstOpenFile() ?? (run: held.count, index: 0)
        for run in held[..<end.run] { settle(run) }
        held.removeFirst(end.run)
        if held.isEmpty { return }
        settle(held[0].prefix(upTo: end.index))
        held[0] = held[0].suffix(from: end.index)
    }

    mutating func settle(_ run: EntryRun) {
        if run.isEmpty { return }
        settled.append(SettledRun(run: run, start: settledCount))
        settledCount += run.count
    }

    /// The first file of the front whose directory the front hasn't come to: which run has it, and the block's index. Its
    /// name begins the position that the front ends at, and a byte below "/" or that very "/" follows there.
    private func firstOpenFile() -> (run: Int, index: Int)? {
        guard let end = frontEnd?.bytes, !held.isEmpty else { return nil }
        for byteCount in 1..<max(end.count, 1) where end[byteCount] <= Key.delimiter {
            let name = Array(end[..<byteCount])
            let run = heldNumber(of: name)
            if let index = held[run].index(of: name) { return (run, index) }
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

    /// What is known of a position.
    func entry(at position: [UInt8]) -> Answer {
        let run: EntryRun?
        if isInFront(position) {
            run = frontRun(at: position)
        } else if let island = island(at: Key(position)) {
            run = islands[island].run
        } else {
            return .unknown
        }
        guard let run, let index = run.index(of: position) else { return .absent }
        return .present(ListedEntry(block: run.block, index: index))
    }

    /// The index of the settled entry at `position`.
    func index(of position: [UInt8]) -> Int? {
        guard let number = settledNumber(of: position), let index = settled[number].run.index(of: position) else {
            return nil
        }
        return settled[number].start + index - settled[number].run.range.lowerBound
    }

    private func isInFront(_ position: [UInt8]) -> Bool {
        guard let frontEnd else { return true }
        return position.withUnsafeBytes { position in frontEnd.bytes.withUnsafeBytes { position.precedes($0) } }
    }

    /// Which run of the front has the entry at `position`, if one has it.
    private func frontRun(at position: [UInt8]) -> EntryRun? {
        if let first = held.first, first.begins(notAfter: position) { return held[heldNumber(of: position)] }
        return settledNumber(of: position).map { settled[$0].run }
    }

    private func settledNumber(of position: [UInt8]) -> Int? {
        let number = settled.partitioningIndex { !$0.run.begins(notAfter: position) } - 1
        return number < 0 ? nil : number
    }

    /// Which island tells of `position`.
    private func island(at position: Key) -> Int? {
        let number = islands.partitioningIndex { $0.interval.lower > position } - 1
        return number >= 0 && islands[number].interval.contains(position) ? number : nil
    }

    // MARK: Entries in order

    /// The settled entries from `index` on, as far as they lie in one piece; `nil` where there are none yet.
    func entries(from index: Int) -> EntryRun? {
        guard index < settledCount else { return nil }
        let number = settled.partitioningIndex { $0.start > index } - 1
        let run = settled[number].run
        return run.suffix(from: run.range.lowerBound + index - settled[number].start)
    }

    /// All settled entries.
    var settledRuns: [EntryRun] { settled.map(\.run) }

    /// The runs of the settled entries from `index` on, where a run begins, each with the index of its first entry.
    func settledRuns(from index: Int) -> [(start: Int, run: EntryRun)] {
        settled[settled.partitioningIndex { $0.start >= index }...].map { ($0.start, $0.run) }
    }

    /// The position of the front's last entry: between it and the front's end there is nothing.
    var lastPosition: [UInt8]? {
        (held.last ?? settled.last?.run).map { $0.block.position($0.range.upperBound - 1) }
    }

    /// What comes next in a directory.
    enum NextSubdirectory: Equatable {
        /// A subdirectory, with nothing unproven before it.
        case name([UInt8])
        /// A position that nothing is known of.
        case unproven(Key)
        /// Nothing up to the end of the directory.
        case none
    }

    /// The first subdirectory at or behind `position`, if all before it is proven.
    func nextSubdirectory(from position: Key) -> NextSubdirectory {
        if isInFront(position.bytes) {
            if let name = frontSubdirectories(from: position.bytes, limit: 1).first { return .name(name) }
            guard let frontEnd else { return .none }
            return nextSubdirectory(from: frontEnd)
        }
        var position = position
        while let number = island(at: position) {
            if let name = islands[number].run.subdirectories(from: position.bytes, limit: 1).first {
                return .name(name)
            }
            guard let end = islands[number].interval.upper else { return .none }
            position = end
        }
        return .unproven(position)
    }

    /// The names of subdirectories at or behind `position` that are known, in order, `limit` of them at the most. There may
    /// be others between them.
    func subdirectories(from position: [UInt8], limit: Int) -> [[UInt8]] {
        var names = frontSubdirectories(from: position, limit: limit)
        let key = Key(position)
        let firstIsland = islands.partitioningIndex { $0.interval.upper.map { $0 > key } ?? true }
        for island in islands[firstIsland...] where names.count < limit {
            names += island.run.subdirectories(from: position, limit: limit - names.count)
        }
        return names
    }

    private func frontSubdirectories(from position: [UInt8], limit: Int) -> [[UInt8]] {
        var names: [[UInt8]] = []
        for settled in settled[(settledNumber(of: position) ?? 0)...] where names.count < limit {
            names += settled.run.subdirectories(from: position, limit: limit - names.count)
        }
        for run in held where names.count < limit {
            names += run.subdirectories(from: position, limit: limit - names.count)
        }
        return names
    }

    // MARK: Memory

    /// What this takes beside the blocks, in bytes, about.
    var byteCount: Int {
        settled.capacity * MemoryLayout<SettledRun>.stride + held.capacity * MemoryLayout<EntryRun>.stride
            + islands.capacity * (MemoryLayout<Island>.stride + Self.islandKeyByteCount)
    }

    /// What an island's two keys take.
    private static let islandKeyByteCount = 128

    /// The blocks that entries are in, each as often as there are runs of it.
    var blocks: [EntryBlock] {
        settled.map(\.run.block) + held.map(\.block) + islands.map(\.run.block)
    }
}

extension ProvenEntries {
    /// The settled entries of a process that is gone. What it had proven beyond the last of them isn't known any more.
    init(settled runs: [EntryRun], isComplete: Bool) {
        self.init()
        for run in runs { settle(run) }
        if isComplete {
            frontEnd = nil
        } else if let last = settled.last?.run.last {
            let position = Key(last.block.position(last.index))
            frontEnd = last.isDirectory ? position.endOfPrefix : position.next
            keepAbsent(lookingFrom: position.bytes)
        }
    }

    /// The directories of settled files were known to be absent, also behind the last entry, and stay so: their names were
    /// given.
    private mutating func keepAbsent(lookingFrom last: [UInt8]) {
        for byteCount in 1...last.count {
            let name = Array(last[..<byteCount])
            guard byteCount == last.count || last[byteCount] < Key.delimiter, name.last != Key.delimiter,
                index(of: name) != nil, let run = settled.last?.run
            else { continue }
            let directory = Key(name + [Key.delimiter])
            let nothing = run.prefix(upTo: run.range.lowerBound)
            insert(Island(interval: KeyInterval(lower: directory, upper: directory.endOfPrefix), run: nothing))
        }
    }
}

extension EntryRun {
    /// The names of the subdirectories at or behind `position`, in order, `limit` of them at the most.
    fileprivate func subdirectories(from position: [UInt8], limit: Int) -> [[UInt8]] {
        var names: [[UInt8]] = []
        let start = max(range.lowerBound, block.firstIndex(notBefore: position))
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
    /// Whether the entry's position begins with the name of `other`.
    fileprivate func begins(withNameOf other: ListedEntry) -> Bool {
        block.withPosition(index) { position in
            other.block.withName(other.index) { name in
                position.count >= name.count
                    && UnsafeRawBufferPointer(rebasing: position[..<name.count]).isEqual(to: name)
            }
        }
    }
}
