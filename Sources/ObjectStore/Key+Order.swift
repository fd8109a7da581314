import Glibc

// These compare and hash all bytes at once. An array does it byte by byte, and a page has a thousand keys of a hundred
// bytes, each of which is compared and hashed several times.

extension Key: Comparable {
    /// Compares in S3's order, which is that of the bytes: a key comes before all longer keys that begin with it.
    public static func < (left: Key, right: Key) -> Bool {
        let order = left.startOrder(right)
        return order != 0 ? order < 0 : left.bytes.count < right.bytes.count
    }

    /// Returns `true` if the bytes are equal.
    public static func == (left: Key, right: Key) -> Bool {
        left.bytes.count == right.bytes.count && left.startOrder(right) == 0
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }

    /// Compares the beginnings, up to the length of the shorter key: negative if this key comes first, 0 if they are
    /// equal.
    func startOrder(_ other: Key) -> CInt {
        unsafe bytes.withUnsafeBytes { mine in
            unsafe other.bytes.withUnsafeBytes { theirs in
                guard let base = mine.baseAddress, let otherBase = theirs.baseAddress else { return 0 }
                return unsafe memcmp(base, otherBase, min(mine.count, theirs.count))
            }
        }
    }
}
