import ObjectStore

/// What walk-ahead may know of the tree: what is in memory. Nothing here asks the store.
protocol TreeView {
    /// Up to where everything is known from `key` on, of what is below `root`; `nil` where that is to its end. Looks at
    /// `limit` directories at the most, so that `key` itself as the answer, and nothing else, means that it is unknown.
    func knownEnd(from key: Key, below root: Key, visiting limit: Int) -> Key?

    /// Names of the known subdirectories of a directory, in the order of keys, from a sortKey on.
    func subdirectories(of prefix: Key, from sortKey: [UInt8], limit: Int) -> [[UInt8]]

    /// Whether the first entries of a directory are known, or that it has none.
    func isListed(_ prefix: Key) -> Bool

    /// Whether all entries of a directory are known.
    func isComplete(_ prefix: Key) -> Bool
}

extension TreeView {
    /// The known subdirectory of `parent` that comes behind its child `name`, which need not be there.
    func subdirectory(of parent: Key, after name: [UInt8]) -> [UInt8]? {
        subdirectories(of: parent, from: Array(name) + [Key.delimiter + 1], limit: 1).first
    }
}

extension Key {
    /// The prefix of the directory `name` in this directory.
    func directory(_ name: some Sequence<UInt8>) -> Key {
        var bytes = self.bytes
        bytes.append(contentsOf: name)
        bytes.append(Key.delimiter)
        return Key(bytes)
    }

    /// The first component of what follows `prefix`, with which this key begins; `nil` where no "/" follows it, so that
    /// the key is one of a file.
    func child(of prefix: Key) -> ArraySlice<UInt8>? {
        let relative = bytes.dropFirst(prefix.bytes.count)
        return relative.firstIndex(of: Key.delimiter).map { relative[..<$0] }
    }

    /// The directories that the key is in, from `root` down; for the prefix of a directory, that one as well.
    func directories(from root: Key) -> [Key] {
        guard hasPrefix(root) else { return [] }
        var prefixes = [root]
        for index in bytes.indices.dropFirst(root.bytes.count) where bytes[index] == Key.delimiter {
            prefixes.append(Key(bytes[...index]))
        }
        return prefixes
    }

    /// A key for a listing to start after that has this key, and as little as possible before it, in front of it.
    ///
    /// Keys have no predecessor; U+10FFFF behind a byte that is one less comes close, and is UTF-8 as S3 wants it.
    var startAfter: Key {
        var bytes = self.bytes
        // Within a character, or before one that isn't ASCII: start before all of that.
        while let last = bytes.last, last >= 0x80 { bytes.removeLast() }
        guard let last = bytes.popLast() else { return .empty }
        if last == 0 { return Key(bytes) }
        return Key(bytes + [last - 1] + [0xf4, 0x8f, 0xbf, 0xbf])
    }
}
