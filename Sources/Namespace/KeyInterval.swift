public import ObjectStore

/// A stretch of S3's order of keys: `lower` and what follows it, up to but not including `upper`.
///
/// Also used for sortKeys, which are keys relative to a directory's prefix.
public struct KeyInterval: Hashable, Sendable {
    /// The first key of the interval.
    public let lower: Key
    /// The first key behind it; `nil` where it has no end.
    public let upper: Key?

    /// The interval from `lower` up to `upper`; an empty one where `upper` comes before `lower`.
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

    /// Whether no key is in it.
    var isEmpty: Bool { upper.map { $0 <= lower } ?? false }

    /// Whether `key` is in it.
    public func contains(_ key: Key) -> Bool {
        lower <= key && (upper.map { key < $0 } ?? true)
    }

    /// The end that comes first, where `nil` comes behind all others.
    static func earlierEnd(_ left: Key?, _ right: Key?) -> Key? {
        guard let left, let right else { return left ?? right }
        return min(left, right)
    }
}

extension Key {
    /// The smallest key behind this one.
    var next: Key { appending([0]) }

    /// The smallest key behind all that begin with this one; `nil` where there is none.
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

    /// The prefix of the directory that this directory is in; `nil` for the empty prefix, which is in none.
    var parentPrefix: Key? {
        bytes.isEmpty ? nil : Key(bytes.dropLast()).folderPrefix
    }

    /// What follows the first `byteCount` bytes.
    func dropping(_ byteCount: Int) -> Key {
        Key(bytes.dropFirst(byteCount))
    }
}
