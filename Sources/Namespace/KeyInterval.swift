public import ObjectStore

/// A range of keys in S3's order: from `lower` up to but not including `upper`.
///
/// Also used for sort keys, which are keys relative to a directory's prefix.
public struct KeyInterval: Hashable, Sendable {
    /// The first key of the interval.
    public let lower: Key
    /// The first key behind the interval; `nil` if it has no end.
    public let upper: Key?

    /// The interval from `lower` up to `upper`; an empty one if `upper` comes before `lower`.
    public init(lower: Key, upper: Key?) {
        self.lower = upper.map { min(lower, $0) } ?? lower
        self.upper = upper
    }

    /// All keys.
    public static let all = KeyInterval(lower: .empty, upper: nil)

    /// All keys that begin with `prefix`.
    public init(prefix: Key) {
        self.init(lower: prefix, upper: prefix.endOfPrefix)
    }

    /// `true` if the interval contains no key.
    var isEmpty: Bool { upper.map { $0 <= lower } ?? false }

    /// Returns `true` if the interval contains `key`.
    public func contains(_ key: Key) -> Bool {
        lower <= key && (upper.map { key < $0 } ?? true)
    }

    /// Returns the end that comes first; `nil` comes behind all others.
    static func earlierEnd(_ left: Key?, _ right: Key?) -> Key? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }
}

extension Key {
    /// The smallest key behind this one.
    var next: Key { appending([0]) }

    /// The smallest key behind all keys that begin with this one; `nil` if there is none.
    public var endOfPrefix: Key? {
        var bytes = self.bytes
        while let last = bytes.popLast() {
            if last < .max {
                bytes.append(last + 1)
                return Key(bytes)
            }
        }
        return nil
    }

    /// The prefix of the parent directory; `nil` for the empty prefix, which has none.
    var parentPrefix: Key? {
        bytes.isEmpty ? nil : Key(bytes.dropLast()).folderPrefix
    }

    /// Returns the key without its first `byteCount` bytes.
    func dropping(_ byteCount: Int) -> Key {
        Key(bytes.dropFirst(byteCount))
    }
}
