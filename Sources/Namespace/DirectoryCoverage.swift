import ObjectStore

/// What a page of a listing tells of one directory: everything between two sortKeys.
struct DirectoryCoverage: Sendable {
    /// The entries. They may include a file and the directory that hides it.
    let block: EntryBlock
    /// The sortKeys that nothing else is at, relative to the block's prefix. It never ends within a subdirectory.
    let interval: KeyInterval
    /// The keys of the interval that no path can name.
    let hidden: HiddenKeys
}

/// Keys that no path can name, or that something else hides.
struct HiddenKeys: Sendable {
    /// How many.
    private(set) var count = 0
    /// The first of them, to tell a person.
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
