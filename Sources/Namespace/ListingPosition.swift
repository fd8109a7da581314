public import ObjectStore

/// The position of a file in the listing of its directory: its index among the entries, in the order of `readdir`.
///
/// It only uses what is listed already: it sends no requests and creates no inodes.
public struct ListingPosition: Sendable {
    /// The directory's prefix.
    public let directory: Key
    /// The file's index, which may change when the listing is renewed.
    public let index: Int

    private let listing: DirectoryListing

    init(index: Int, in listing: DirectoryListing) {
        directory = listing.prefix
        self.index = index
        self.listing = listing
    }

    /// A file of the directory.
    public struct File: Hashable, Sendable {
        /// The file's index.
        public let index: Int
        /// The version of the object.
        public let version: ObjectVersion
    }

    /// The number of entries that are listed.
    public var entryCount: Int { listing.entryCount }

    /// Returns the listed files with an index within `range`.
    public func files(in range: Range<Int>) -> [File] {
        listing.listedEntries(in: range).enumerated().compactMap { offset, found in
            guard case .file(let object) = found.block.kind(found.index) else { return nil }
            return File(index: range.lowerBound + offset, version: object.version)
        }
    }
}

extension Namespace {
    /// Returns the position of the file `key`; `nil` if its directory isn't listed.
    public func listingPosition(of key: Key) -> ListingPosition? {
        let prefix = key.folderPrefix
        guard case .file(let bytes) = KeyClassification(key, below: prefix), let name = try? Name(bytes),
            let listing = knownListing(prefix), let index = listing.index(ofFile: name)
        else { return nil }
        return ListingPosition(index: index, in: listing)
    }
}
