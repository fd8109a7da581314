public import ObjectStore

/// Where a file stands in the listing of its directory: its index among the entries, in the order of `readdir`.
///
/// Asks nothing of the store, now or later, and makes no inodes: what is not listed yet is not told.
public struct ListingPosition: Sendable {
    /// The directory's prefix.
    public let directory: Key
    /// The file's index. When the listing is renewed, it may change.
    public let index: Int

    private let listing: DirectoryListing

    init(index: Int, in listing: DirectoryListing) {
        directory = listing.prefix
        self.index = index
        self.listing = listing
    }

    /// A file of the directory.
    public struct File: Hashable, Sendable {
        /// Its index.
        public let index: Int
        /// Which bytes it has.
        public let version: ObjectVersion
    }

    /// How many entries of the directory are listed.
    public var entryCount: Int { listing.entryCount }

    /// The files with an index within `range`, as far as they are listed.
    public func files(in range: Range<Int>) -> [File] {
        listing.listedEntries(in: range).enumerated().compactMap { offset, found in
            guard case .file(let object) = found.block.kind(found.index) else { return nil }
            return File(index: range.lowerBound + offset, version: object.version)
        }
    }
}

extension Namespace {
    /// The place of the file `key`; `nil` where nobody has listed its directory so far.
    public func listingPosition(of key: Key) -> ListingPosition? {
        let prefix = key.folderPrefix
        guard case .file(let name) = KeyClassification(key, below: prefix),
            let listing = knownListing(prefix), let index = listing.index(ofFile: name)
        else { return nil }
        return ListingPosition(index: index, in: listing)
    }
}
