/// The bytes of an object, which are stored or computed.
public enum ObjectBody: Hashable, Sendable {
    /// These bytes.
    case bytes([UInt8])
    /// `byteCount` bytes that follow from `seed` and their offset alone, so that a 5 GiB object costs no memory. Every
    /// eight bytes differ from every other eight: bytes from a wrong offset or of another seed are seen at once.
    case pattern(seed: UInt64, byteCount: Int)

    /// The UTF-8 bytes of `text`.
    public static func text(_ text: String) -> ObjectBody {
        .bytes(Array(text.utf8))
    }

    /// The size in bytes.
    public var byteCount: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .pattern(_, let byteCount): byteCount
        }
    }

    /// The bytes at the offsets of `range`, which must lie within the body.
    public func bytes(in range: Range<Int>) -> [UInt8] {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "\(range) is outside of the body")
        switch self {
        case .bytes(let bytes): return Array(bytes[range])
        case .pattern(let seed, _): return patternBytes(seed: seed, in: range)
        }
    }

    /// All the bytes.
    public var allBytes: [UInt8] { bytes(in: 0..<byteCount) }
}

/// The bytes of a pattern: the 64-bit words of a mixed counter, little-endian.
private func patternBytes(seed: UInt64, in range: Range<Int>) -> [UInt8] {
    let firstWord = range.lowerBound / 8
    let words = (firstWord..<(range.upperBound + 7) / 8).map { patternWord(seed: seed, index: $0).littleEndian }
    let skipped = range.lowerBound - firstWord * 8
    return words.withUnsafeBytes { [UInt8](UnsafeRawBufferPointer(rebasing: $0[skipped..<skipped + range.count])) }
}

/// Eight bytes of a pattern.
private func patternWord(seed: UInt64, index: Int) -> UInt64 {
    splitMix64(seed &+ UInt64(index) &* 0x9e37_79b9_7f4a_7c15)
}
