import Glibc

// All bytes at once: an array's own comparing and hashing take them one by one, and a page has a thousand keys of a hundred
// bytes, each of which is compared and hashed several times.

extension Key: Comparable {
    /// S3's order of keys: that of their bytes, a prefix before what it begins.
    public static func < (left: Key, right: Key) -> Bool {
        let order = left.startOrder(right)
        return order != 0 ? order < 0 : left.bytes.count < right.bytes.count
    }

    /// Whether these are the same bytes.
    public static func == (left: Key, right: Key) -> Bool {
        left.bytes.count == right.bytes.count && left.startOrder(right) == 0
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }

    /// How the beginnings compare, as far as both keys go: below 0 where this one comes first, 0 where they are the same.
    func startOrder(_ other: Key) -> CInt {
        unsafe bytes.withUnsafeBytes { mine in
            unsafe other.bytes.withUnsafeBytes { theirs in
                guard let base = mine.baseAddress, let otherBase = theirs.baseAddress else { return 0 }
                return unsafe memcmp(base, otherBase, min(mine.count, theirs.count))
            }
        }
    }
}
