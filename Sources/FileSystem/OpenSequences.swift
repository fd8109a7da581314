/// Predicts the next opens of files in one folder from recent ones. Knows only their positions in the folder's listing.
///
/// A *sequence* is a series of opens in ascending order. There may be several, since processes may divide a folder
/// among them. Opens may come a little late, as with several processes that work through one list, and may skip some
/// entries, as in a search for one type of file. From the third open on, a sequence has a window of entries to
/// prefetch; it doubles as long as at least half of the passed entries are opened.
struct OpenSequences {
    /// The most sequences in a folder: as many as processes usually share the work.
    static let sequenceCountMax = 16
    /// The most entries that a sequence may skip: the usual number of processes that share one list.
    static let skipCountMax = 16
    /// The most entries by which an open may be late. There is one bit for each entry.
    static let lateCountMax = UInt64.bitWidth - 1
    /// The number of opened files before others are prefetched.
    static let openCountMin = 3
    /// The first window, in entries.
    static let firstWindowCount = 4
    /// The biggest window: at 20 ms a request, 64 in flight are 3,200 files a second, more than a process can open.
    static let windowCountMax = 64

    private struct OpenSequence {
        /// The index of the first opened entry.
        var first: Int
        /// The index of the last opened entry.
        var last: Int
        /// The opened entries among the last 64; the lowest bit is that of `last`.
        var opened: UInt64 = 1
        /// The index up to which all entries were requested or opened.
        var frontier: Int
        /// The number of entries to prefetch; 0 while there is no regular sequence.
        var windowCount = 0
        /// The time of the last use, in opens.
        var lastUse: Int

        /// Returns `true` if an open of the entry `index` may belong to the sequence.
        func isContinued(by index: Int) -> Bool {
            index >= max(last - OpenSequences.lateCountMax, first - OpenSequences.skipCountMax)
                && index <= max(last + 1 + OpenSequences.skipCountMax, frontier)
        }

        /// Notes an open of `index`.
        mutating func open(_ index: Int) {
            first = min(first, index)
            if index > last {
                opened = opened << UInt64(index - last) | 1
                last = index
            } else {
                opened |= 1 << UInt64(last - index)
            }
        }

        /// `true` if enough entries were opened to prefetch more: most of those that were passed, and more than a few.
        var isSequence: Bool {
            let openCount = opened.nonzeroBitCount
            return openCount >= OpenSequences.openCountMin && 2 * openCount >= min(last - first + 1, UInt64.bitWidth)
        }

        /// Merges with `other` if that sequence begins within this one or directly behind it, and ends no earlier.
        /// Returns `false` otherwise.
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

    /// The entries to prefetch because of an open.
    struct Advice: Equatable {
        /// The number of its sequence.
        fileprivate let sequence: Int
        /// The window, from the entry behind the opened file on; its size is limited by the caller.
        let window: Range<Int>
        /// The part of it that wasn't requested yet.
        let fresh: Range<Int>
        /// The size of the sequence's window after these requests.
        fileprivate let windowCount: Int
    }

    private var sequences: [OpenSequence] = []
    private var openCount = 0

    /// Notes an open of the entry `index`. Returns the entries to prefetch, if any. The next open returns them again
    /// unless `advance` is called.
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

    /// Notes that entries of `advice` were requested, up to the one before `end`.
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
        // The part of the folder that another process reads isn't prefetched.
        let end = sequences.lazy.map(\.first).filter { $0 >= next }.min() ?? .max
        let window = next..<min(next + count, end)
        let fresh = max(next, sequence.frontier)..<max(window.upperBound, next, sequence.frontier)
        return fresh.isEmpty ? nil : Advice(sequence: number, window: window, fresh: fresh, windowCount: count)
    }

    /// Returns the sequence with the end nearest to `index`, among those that it may belong to.
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
