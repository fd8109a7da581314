import ObjectStore

/// The known part of the tree, for prefetches. Nothing here sends a request.
protocol TreeView {
    /// Returns the end of the range from `key` on, below `root`, in which everything is known; `nil` if that is the end
    /// of `root`. Examines at most `limit` directories. So `key` itself, and no other result, means that it is unknown.
    func knownEnd(from key: Key, below root: Key, visiting limit: Int) -> Key?

    /// Returns names of known subdirectories of a directory, in order, from a sort key on.
    func subdirectories(of prefix: Key, from sortKey: [UInt8], limit: Int) -> [[UInt8]]

    /// Returns `true` if the first entries of a directory are known, or if it is known to be empty.
    func isListed(_ prefix: Key) -> Bool

    /// Returns `true` if all entries of a directory are known.
    func isComplete(_ prefix: Key) -> Bool
}

extension TreeView {
    /// Returns the next known subdirectory of `parent` behind the name `name`, which needn't exist.
    func subdirectory(of parent: Key, after name: [UInt8]) -> [UInt8]? {
        subdirectories(of: parent, from: Array(name) + [Key.delimiter + 1], limit: 1).first
    }
}

extension Key {
    /// Returns the prefix of the directory `name` in this directory.
    func directory(_ name: some Sequence<UInt8>) -> Key {
        var bytes = self.bytes
        bytes.append(contentsOf: name)
        bytes.append(Key.delimiter)
        return Key(bytes)
    }

    /// Returns the first component behind `prefix`, with which this key begins; `nil` if no "/" follows it, so that it
    /// is the name of a file.
    func child(of prefix: Key) -> ArraySlice<UInt8>? {
        let relative = bytes.dropFirst(prefix.bytes.count)
        return relative.firstIndex(of: Key.delimiter).map { relative[..<$0] }
    }

    /// Returns the prefixes of the directories of this key from `root` down, including the key itself if it is a
    /// prefix.
    func directories(from root: Key) -> [Key] {
        guard hasPrefix(root) else { return [] }
        var prefixes = [root]
        for index in bytes.indices.dropFirst(root.bytes.count) where bytes[index] == Key.delimiter {
            prefixes.append(Key(bytes[...index]))
        }
        return prefixes
    }

    /// A "start-after" key for a listing that contains this key, and as few keys as possible before it.
    ///
    /// Keys have no predecessor. U+10FFFF behind the last byte minus one is close, and is UTF-8, as S3 requires.
    var startAfter: Key {
        var bytes = self.bytes
        // Within a character, or before one that isn't ASCII, the whole of it is dropped.
        while let last = bytes.last, last >= 0x80 { bytes.removeLast() }
        guard let last = bytes.popLast() else { return .empty }
        if last == 0 { return Key(bytes) }
        return Key(bytes + [last - 1] + [0xf4, 0x8f, 0xbf, 0xbf])
    }
}
