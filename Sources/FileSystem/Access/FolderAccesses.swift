import ObjectStore

/// What was read of files that are not remembered one by one, by their folders.
///
/// Beyond the limit the least read folders are counted with the ones above them: what is known gets coarser, and nothing is
/// lost.
struct FolderAccesses {
    /// How many folders there may be. With keys as long as S3 allows they take a bit more than a mebibyte.
    static let countMax = 1_024

    private(set) var counts: [Key: AccessCounts] = [:]

    /// Counts what was read in a folder, a key that ends in "/", or none.
    mutating func add(_ access: AccessCounts, in folder: Key) {
        counts[folder, default: AccessCounts()].add(access)
        if counts.count > FolderAccesses.countMax { makeRoom() }
    }

    /// A quarter goes at once, so that it doesn't happen with each folder.
    private mutating func makeRoom() {
        let target = FolderAccesses.countMax * 3 / 4
        // Each round brings folders one level up, and the root has nothing above it: that ends.
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
    /// The folder that a key lies in: up to the last "/" but one at its end. The root's is the root.
    var folder: Key {
        Key(bytes.prefix(through: bytes.dropLast().lastIndex(of: Key.delimiter) ?? -1))
    }
}
