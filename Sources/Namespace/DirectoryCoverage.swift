import ObjectStore

/// The part of a page that covers one directory: its entries between two sort keys.
struct DirectoryCoverage: Sendable {
    /// The entries. They may include a file and the directory that hides it.
    let block: EntryBlock
    /// The range of sort keys, relative to the block's prefix, in which there are no other entries. It never ends
    /// within a subdirectory.
    let interval: KeyInterval
    /// The keys of the interval that no path can name.
    let hidden: HiddenKeys
}

/// Keys that no path can name, or that a directory of the same name hides.
struct HiddenKeys: Sendable {
    /// The number of keys.
    private(set) var count = 0
    /// The first key, for the log.
    private(set) var first: Key?

    mutating func note(_ key: Key) {
        count += 1
        if first == nil { first = key }
    }

    mutating func add(_ other: HiddenKeys) {
        count += other.count
        if first == nil { first = other.first }
    }
}
