import ObjectStore
import SystemSupport

extension ProvenEntries {
    /// The entries of a listing from the archive; `nil` where what was kept of it can't be used.
    init?(_ archived: ArchivedListing, account: BlockAccount) {
        var blocks: [EntryBlock] = []
        for bytes in archived.blocks {
            guard let block = try? EntryBlock(prefix: archived.prefix, serialized: bytes, account: account),
                block.count > 0
            else { return nil }
            blocks.append(block)
        }
        if blocks.isEmpty {
            blocks = [EntryBlock.Builder(prefix: archived.prefix, reserving: 0, account: account).finish()]
        }
        var hidden = HiddenKeys()
        self.init(whole: blocks, hidden: &hidden)
    }
}

extension ArchivedListing {
    /// A complete listing, for the archive; `nil` where it isn't complete.
    init?(_ listing: Listing) {
        guard let runs = listing.completeRuns else { return nil }
        let age = listing.knownSince.duration(to: .now)
        let pieces = ArchivedListing.pieces(of: runs)
        self.init(
            prefix: listing.prefix, listedAt: Timestamp.now.secondsBefore(age), blockCount: pieces.count,
            byteCount: runs.reduce(0) { $0 + $1.block.byteCount }
        ) { index in
            pieces[index].serialized(prefix: listing.prefix)
        }
    }

    /// Runs that make one archived block.
    private struct Piece {
        var runs: [EntryRun]
        var entryCount: Int

        /// The runs' entries, as the bytes of one block.
        func serialized(prefix: Key) -> [UInt8] {
            if runs.count == 1, runs[0].range == 0..<runs[0].block.count { return runs[0].block.serialized }
            var builder = EntryBlock.Builder(prefix: prefix, reserving: entryCount, account: BlockAccount())
            for run in runs {
                for index in run.range { builder.append(index, of: run.block) }
            }
            return builder.finish().serialized
        }
    }

    /// How many entries small runs are put together to.
    private static let entryCountMax = 1_000

    /// Puts small runs together, so that there are few blocks.
    private static func pieces(of runs: [EntryRun]) -> [Piece] {
        var pieces: [Piece] = []
        for run in runs {
            if let last = pieces.last, last.entryCount + run.count <= entryCountMax {
                pieces[pieces.count - 1].runs.append(run)
                pieces[pieces.count - 1].entryCount += run.count
            } else {
                pieces.append(Piece(runs: [run], entryCount: run.count))
            }
        }
        return pieces
    }
}
