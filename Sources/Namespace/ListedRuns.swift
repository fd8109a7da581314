import ObjectStore
import StateLog

/// How much of a listing the log has that outlives this process.
struct LoggedEntries {
    private var edition: UInt64 = 0
    private var entryCount = 0
    private var isComplete = false

    /// Writes the settled entries of the listing that the log calls `id`, as far as it doesn't have them.
    mutating func write(_ entries: borrowing ProvenEntries, of id: UInt64, to log: EntryLog) {
        let edition = log.log.edition
        if self.edition != edition { self = LoggedEntries(edition: edition) }
        if entryCount < entries.settledCount {
            for (start, run) in entries.settledRuns(from: entryCount) {
                log.write(ListedRun(listing: id, start: start, block: log.write(run.block), range: run.range))
            }
            entryCount = entries.settledCount
        }
        if entries.isComplete, !isComplete {
            log.write(ListedRun(listing: id, start: entryCount, block: 0, range: 0..<0))
            isComplete = true
        }
    }
}

/// Entries of a listing that an open directory has given, as they stand in the log.
struct ListedRun {
    /// What the log calls the listing.
    let listing: UInt64
    /// The listing's index of the first of them.
    let start: Int
    /// What the log calls the block; 0 where the listing ends.
    let block: UInt64
    /// The block's indices.
    let range: Range<Int>
}

extension EntryLog {
    /// Writes a run. None is ever taken back: those of listings that nobody reads are left out when the log is written anew.
    fileprivate func write(_ run: ListedRun) {
        log.set(
            .listedRun, id: log.makeID(),
            [
                run.listing, UInt64(run.start), run.block, UInt64(run.range.lowerBound), UInt64(run.range.upperBound),
            ])
    }
}

extension ListedRun {
    init?(_ words: [UInt64]) {
        guard words.count == 5, let start = Int(exactly: words[1]), let lower = Int(exactly: words[3]),
            let upper = Int(exactly: words[4]), lower <= upper
        else { return nil }
        self.init(listing: words[0], start: start, block: words[2], range: lower..<upper)
    }
}

/// What directories have given that were open in the process before.
struct ListedRuns {
    private let runs: [UInt64: [ListedRun]]

    /// Reads the log.
    init(_ log: StateLog) throws(StateLogError) {
        var runs: [UInt64: [ListedRun]] = [:]
        try log.replay(.listedRun) { _, content throws(StateLogError) in
            guard let run = ListedRun(StateLog.words(content)) else { throw StateLogError("a listing is damaged") }
            runs[run.listing, default: []].append(run)
        }
        self.runs = runs
    }

    /// The listings that these are of, by what the log calls them.
    func listings(
        of blocks: [UInt64: EntryBlock], source: ListingSource
    ) -> [UInt64: Listing] {
        var listings: [UInt64: Listing] = [:]
        for (id, runs) in runs { listings[id] = Self.listing(id, of: runs, blocks: blocks, source: source) }
        return listings
    }

    /// `nil` where it has given no entry: then there is nothing to be kept to.
    private static func listing(
        _ id: UInt64, of runs: [ListedRun], blocks: [UInt64: EntryBlock], source: ListingSource
    ) -> Listing? {
        var settled: [EntryRun] = []
        var entryCount = 0
        var isComplete = false
        // A run may have been written again with a new edition of the log.
        for run in runs.sorted(by: { $0.start < $1.start }) where run.start == entryCount {
            if run.block == 0 {
                isComplete = true
                continue
            }
            // Nobody has read the listing any more when the log was written anew, if the block was left out then.
            guard let block = blocks[run.block], run.range.upperBound <= block.count, !run.range.isEmpty,
                settled.first.map({ $0.block.prefix == block.prefix }) ?? true
            else { continue }
            settled.append(EntryRun(block: block, range: run.range))
            entryCount += run.range.count
        }
        guard let prefix = settled.first?.block.prefix else { return nil }
        return Listing(
            prefix: prefix, source: source, knownSince: .now,
            entries: ProvenEntries(settled: settled, isComplete: isComplete), restoredID: id)
    }
}
