/// Which files of one folder are opened next, judged by which ones were opened lately. Knows only where they stand in the
/// folder's listing.
///
/// A *sequence* is a sequence of opens that goes forward. Several are kept, since several processes may share out a folder.
/// Within a sequence, opens may come late, as those of processes that walk one list together do, and skip a little, as those
/// that look for one kind of file do. After the third open a sequence has a window of entries that are fetched ahead; it
/// doubles as long as at least half of what the sequence passes is opened.
struct OpenSequences {
    /// How many sequences a folder is watched for: as many processes as commonly share the work.
    static let sequenceCountMax = 16
    /// How many entries a sequence may skip: as many as processes walk one list together.
    static let skipCountMax = 16
    /// How many entries late an open may come; what is remembered of each entry is one bit.
    static let lateCountMax = UInt64.bitWidth - 1
    /// How many files must have been opened before others are fetched ahead.
    static let openCountMin = 3
    /// The first window, in entries.
    static let firstWindowCount = 4
    /// The biggest window: at 20 ms a request, 64 under way are 3,200 files a second, more than a process can open.
    static let windowCountMax = 64

    private struct OpenSequence {
        /// The index of the first entry that was opened.
        var first: Int
        /// The index of the furthest one.
        var last: Int
        /// Which of the last 64 entries were opened; the lowest bit is that of `last`.
        var opened: UInt64 = 1
        /// Entries before this index have been asked for or opened.
        var frontier: Int
        /// How many entries are fetched ahead; 0 before the sequence is a sequence.
        var windowCount = 0
        /// When it was last used, in opens.
        var lastUse: Int

        /// Whether opening the entry `index` may belong to the sequence.
        func isContinued(by index: Int) -> Bool {
            index >= max(last - OpenSequences.lateCountMax, first - OpenSequences.skipCountMax)
                && index <= max(last + 1 + OpenSequences.skipCountMax, frontier)
        }

        /// Takes note that `index` is opened.
        mutating func open(_ index: Int) {
            first = min(first, index)
            if index > last {
                opened = opened << UInt64(index - last) | 1
                last = index
            } else {
                opened |= 1 << UInt64(last - index)
            }
        }

        /// Whether it has opened enough to go on as before: most of what it passed, and more than a few.
        var isSequence: Bool {
            let openCount = opened.nonzeroBitCount
            return openCount >= OpenSequences.openCountMin && 2 * openCount >= min(last - first + 1, UInt64.bitWidth)
        }

        /// Takes in the sequence that began where this one has come to; whether it was one.
        mutating func absorb(_ other: OpenSequence) -> Bool {
            guard first < other.first, other.first <= last + 1, last <= other.last else { return false }
            opened = opened << UInt64(other.last - last) | other.opened
            last = other.last
            frontier = max(frontier, other.frontier)
            windowCount = max(windowCount, other.windowCount)
            lastUse = max(lastUse, other.lastUse)
            return true
        }
    }

    /// What an open asks for.
    struct Advice: Equatable {
        /// Which sequence wants it.
        fileprivate let sequence: Int
        /// The entries that count for its limits, from the one behind the opened file on.
        let window: Range<Int>
        /// Those of them that were not asked for yet.
        let fresh: Range<Int>
        /// How big the sequence's window is when these have been asked for.
        fileprivate let windowCount: Int
    }

    private var sequences: [OpenSequence] = []
    private var openCount = 0

    /// Takes note that the entry `index` is opened, and says which ones to fetch ahead, if any. Until `advance` says that
    /// they were asked for, the next open is told to ask for them again.
    mutating func note(_ index: Int) -> Advice? {
        openCount += 1
        guard let number = sequence(continuedBy: index) else {
            start(at: index)
            return nil
        }
        let hasGoneOn = index > sequences[number].last
        sequences[number].lastUse = openCount
        sequences[number].open(index)
        if let follower = sequences.firstIndex(where: { sequences[number].absorb($0) }) {
            sequences.remove(at: follower)
            return nil
        }
        return hasGoneOn ? advice(for: number) : nil
    }

    /// Notes that what `advice` asks for has been asked for, up to the entry before `end`.
    mutating func advance(_ advice: Advice, to end: Int) {
        sequences[advice.sequence].frontier = max(sequences[advice.sequence].frontier, end)
        sequences[advice.sequence].windowCount = advice.windowCount
    }

    private func advice(for number: Int) -> Advice? {
        let sequence = sequences[number]
        let next = sequence.last + 1
        let left = max(0, sequence.frontier - next)
        guard sequence.isSequence, left == 0 || left < sequence.windowCount / 2 else { return nil }
        let count = min(max(2 * sequence.windowCount, OpenSequences.firstWindowCount), OpenSequences.windowCountMax)
        // Another process's share of the folder is its own business.
        let end = sequences.lazy.map(\.first).filter { $0 >= next }.min() ?? .max
        let window = next..<min(next + count, end)
        let fresh = max(next, sequence.frontier)..<max(window.upperBound, next, sequence.frontier)
        return fresh.isEmpty ? nil : Advice(sequence: number, window: window, fresh: fresh, windowCount: count)
    }

    /// The sequence whose end is nearest to `index`, of those that it may belong to.
    private func sequence(continuedBy index: Int) -> Int? {
        var nearest: Int?
        for number in sequences.indices where sequences[number].isContinued(by: index) {
            if let nearest, abs(sequences[nearest].last - index) <= abs(sequences[number].last - index) { continue }
            nearest = number
        }
        return nearest
    }

    private mutating func start(at index: Int) {
        let sequence = OpenSequence(first: index, last: index, frontier: index + 1, lastUse: openCount)
        if sequences.count < OpenSequences.sequenceCountMax {
            sequences.append(sequence)
        } else if let oldest = sequences.indices.min(by: { sequences[$0].lastUse < sequences[$1].lastUse }) {
            sequences[oldest] = sequence
        }
    }
}
