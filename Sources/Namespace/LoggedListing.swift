import ObjectStore
import StateLog

/// How much of a listing the log has that outlives this process.
struct LoggedEntries {
    private var edition: UInt64 = 0
    private var entryCount = 0
    private var isComplete = false

    /// Writes the settled entries of the listing that the log calls `id`, as far as it doesn't have them.
    mutating func write(_ entries: borrowing KnownEntries, of id: UInt64, to log: EntryLog) {
        let edition = log.log.edition
        if self.edition != edition { self = LoggedEntries(edition: edition) }
        if entryCount < entries.settledCount {
            for (start, slice) in entries.settledSlices(from: entryCount) {
                log.write(LoggedSlice(listing: id, start: start, block: log.write(slice.block), range: slice.range))
            }
            entryCount = entries.settledCount
        }
        if entries.isComplete, !isComplete {
            log.write(LoggedSlice(listing: id, start: entryCount, block: 0, range: 0..<0))
            isComplete = true
        }
    }
}

/// Entries of a listing that an open directory has given, as they stand in the log.
struct LoggedSlice {
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
    /// Writes a slice. None is ever taken back: those of listings that nobody reads are left out when the log is written anew.
    fileprivate func write(_ slice: LoggedSlice) {
        log.set(
            .listedRun, id: log.makeID(),
            [
                slice.listing, UInt64(slice.start), slice.block, UInt64(slice.range.lowerBound),
                UInt64(slice.range.upperBound),
            ])
    }
}

extension LoggedSlice {
    init?(_ words: [UInt64]) {
        guard words.count == 5, let start = Int(exactly: words[1]), let lower = Int(exactly: words[3]),
            let upper = Int(exactly: words[4]), lower <= upper
        else { return nil }
        self.init(listing: words[0], start: start, block: words[2], range: lower..<upper)
    }
}

/// What directories have given that were open in the process before.
struct LoggedSlices {
    private let slices: [UInt64: [LoggedSlice]]

    /// Reads the log.
    init(_ log: StateLog) throws(StateLogError) {
        var slices: [UInt64: [LoggedSlice]] = [:]
        try log.replay(.listedRun) { _, content throws(StateLogError) in
            guard let slice = LoggedSlice(StateLog.words(content)) else { throw StateLogError("a listing is damaged") }
            slices[slice.listing, default: []].append(slice)
        }
        self.slices = slices
    }

    /// The listings that these are of, by what the log calls them.
    func listings(
        of blocks: [UInt64: EntryBlock], context: ListingContext
    ) -> [UInt64: DirectoryListing] {
        var listings: [UInt64: DirectoryListing] = [:]
        for (id, slices) in slices { listings[id] = Self.listing(id, of: slices, blocks: blocks, context: context) }
        return listings
    }

    /// `nil` where it has given no entry: then there is nothing to be kept to.
    private static func listing(
        _ id: UInt64, of slices: [LoggedSlice], blocks: [UInt64: EntryBlock], context: ListingContext
    ) -> DirectoryListing? {
        var settled: [EntrySlice] = []
        var entryCount = 0
        var isComplete = false
        // A slice may have been written again with a new edition of the log.
        for slice in slices.sorted(by: { $0.start < $1.start }) where slice.start == entryCount {
            if slice.block == 0 {
                isComplete = true
                continue
            }
            // Nobody has read the listing any more when the log was written anew, if the block was left out then.
            guard let block = blocks[slice.block], slice.range.upperBound <= block.count, !slice.range.isEmpty,
                settled.first.map({ $0.block.prefix == block.prefix }) ?? true
            else { continue }
            settled.append(EntrySlice(block: block, range: slice.range))
            entryCount += slice.range.count
        }
        guard let prefix = settled.first?.block.prefix else { return nil }
        return DirectoryListing(
            prefix: prefix, context: context, knownSince: .now,
            entries: KnownEntries(settled: settled, isComplete: isComplete), restoredID: id)
    }
}
