import ObjectStore

/// The reads of files that are not recorded individually, by folder.
///
/// Beyond the limit, the least read folders are merged into their parents: the record becomes coarser, and no count is
/// lost.
struct FolderAccesses {
    /// The most folders. With keys of S3's maximum length they use slightly more than a mebibyte.
    static let countMax = 1_024

    private(set) var counts: [Key: AccessCounts] = [:]

    /// Adds counts to a folder, a key that ends in "/" or is empty.
    mutating func add(_ access: AccessCounts, in folder: Key) {
        counts[folder, default: AccessCounts()].add(access)
        if counts.count > FolderAccesses.countMax { makeRoom() }
    }

    /// Merges a quarter of the folders at once, so that this doesn't happen for each new folder.
    private mutating func makeRoom() {
        let target = FolderAccesses.countMax * 3 / 4
        // Each pass moves folders one level up, and the root has no parent: the loop ends.
        while counts.count > target {
            let folders = counts.filter { !$0.key.bytes.isEmpty }
                .sorted { AccessCounts.isLess($0.value, than: $1.value) }
            for (folder, _) in folders.prefix(counts.count - target) {
                guard let moved = counts.removeValue(forKey: folder) else { continue }
                counts[folder.folder, default: AccessCounts()].add(moved)
            }
        }
    }
}

extension Key {
    /// The folder that contains a key: up to the last "/", ignoring one at its end. The folder of the root is the root.
    var folder: Key {
        Key(bytes.prefix(through: bytes.dropLast().lastIndex(of: Key.delimiter) ?? -1))
    }
}
