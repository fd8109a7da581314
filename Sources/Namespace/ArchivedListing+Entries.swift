import ObjectStore
import SystemSupport

extension KnownEntries {
    /// The entries of a listing from the archive; `nil` if a block of it is damaged or out of order.
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
    /// A complete listing, for the archive; `nil` if the listing isn't complete.
    init?(_ listing: DirectoryListing) {
        guard let slices = listing.completeSlices else { return nil }
        let age = listing.knownSince.duration(to: .now)
        let pieces = ArchivedListing.pieces(of: slices)
        self.init(
            prefix: listing.prefix, listedAt: Timestamp.now.secondsBefore(age), blockCount: pieces.count,
            byteCount: slices.reduce(0) { $0 + $1.block.byteCount }
        ) { index in
            pieces[index].serialized(prefix: listing.prefix)
        }
    }

    /// Slices that together make one archived block.
    private struct Piece {
        var slices: [EntrySlice]
        var entryCount: Int

        /// Returns the entries of the slices as the bytes of one block.
        func serialized(prefix: Key) -> [UInt8] {
            if slices.count == 1, slices[0].range == 0..<slices[0].block.count { return slices[0].block.serialized }
            var builder = EntryBlock.Builder(prefix: prefix, reserving: entryCount, account: BlockAccount())
            for slice in slices {
                for index in slice.range { builder.append(index, of: slice.block) }
            }
            return builder.finish().serialized
        }
    }

    /// The number of entries up to which small slices are combined.
    private static let entryCountMax = 1_000

    /// Combines small slices, so that there are few blocks.
    private static func pieces(of slices: [EntrySlice]) -> [Piece] {
        var pieces: [Piece] = []
        for slice in slices {
            if let last = pieces.last, last.entryCount + slice.count <= entryCountMax {
                pieces[pieces.count - 1].slices.append(slice)
                pieces[pieces.count - 1].entryCount += slice.count
            } else {
                pieces.append(Piece(slices: [slice], entryCount: slice.count))
            }
        }
        return pieces
    }
}
