import ObjectStore
import StateLog
import Synchronization

/// The part of a listing that the log for the next process has.
struct LoggedEntries {
    private var edition: UInt64 = 0
    private var entryCount = 0
    private var isComplete = false

    /// Writes the settled entries that the log lacks; `id` is the listing's id in the log.
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

extension DirectoryListing {
    /// The id in the log; 0 if there is no log.
    var logID: UInt64 {
        guard let log = context.log?.log else { return 0 }
        let known = loggedID.load(ordering: .relaxed)
        if known != 0 { return known }
        let made = log.makeID()
        let (isMine, other) = loggedID.compareExchange(expected: 0, desired: made, ordering: .relaxed)
        return isMine ? made : other
    }

    /// Writes the settled entries to the log that it lacks, so that a reader that continues in the next process finds
    /// them at the same indices.
    func writeEntries() {
        guard let log = context.log else { return }
        let id = logID
        withState { state in
            // Entries in the log keep their indices, like those that readers received.
            if state.indexed.settledCount > 0 { state.hasGivenEntries = true }
            state.logged.write(state.indexed, of: id, to: log)
        }
    }
}

/// Entries of a listing that an open directory has returned, as a record of the log.
struct LoggedSlice {
    /// The id of the listing in the log.
    let listing: UInt64
    /// The index of the first entry in the listing.
    let start: Int
    /// The id of the block in the log; 0 at the end of a listing.
    let block: UInt64
    /// The indices in the block.
    let range: Range<Int>
}

extension EntryLog {
    /// Writes a record. None is ever removed: a rewritten log leaves out listings without readers.
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

/// The entries that directories of the former process have returned.
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

    /// Returns the listings of these entries by their ids in the log.
    func listings(
        of blocks: [UInt64: EntryBlock], context: ListingContext
    ) -> [UInt64: DirectoryListing] {
        var listings: [UInt64: DirectoryListing] = [:]
        for (id, slices) in slices { listings[id] = Self.listing(id, of: slices, blocks: blocks, context: context) }
        return listings
    }

    /// Returns the listing of these entries; `nil` if there are none.
    private static func listing(
        _ id: UInt64, of slices: [LoggedSlice], blocks: [UInt64: EntryBlock], context: ListingContext
    ) -> DirectoryListing? {
        var settled: [EntrySlice] = []
        var entryCount = 0
        var isComplete = false
        // A rewritten log may repeat a record.
        for slice in slices.sorted(by: { $0.start < $1.start }) where slice.start == entryCount {
            if slice.block == 0 {
                isComplete = true
                continue
            }
            // If a rewritten log lacks the block, the listing had no readers any more.
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
