/// Replaces bytes that XML cannot contain, so that one such key does not make a whole page unreadable. Bytes that are
/// not UTF-8, control characters, and references to characters that XML does not allow each become U+FDD0, a
/// noncharacter that no text contains.
///
/// Some stores list keys unencoded, whatever bytes they contain, and ignore `EncodingType=url`.
struct TextRepair {
    /// The UTF-8 bytes of U+FDD0.
    static let placeholder: [UInt8] = [0xEF, 0xB7, 0x90]
    /// The maximum length of a reference: `&#x0010FFFF;` with a few more zeros.
    private static let referenceByteCountMax = 16

    /// The bytes of a character or reference that is not complete yet.
    private var pending: [UInt8] = []

    /// `true` if no byte waits for the ones behind it.
    var isIdle: Bool { pending.isEmpty }

    /// Returns the next bytes repaired; `nil` if they need no repair, as is usual.
    ///
    /// - Parameter isLast: `true` if no bytes follow.
    mutating func repaired(_ bytes: UnsafeRawBufferPointer, isLast: Bool) -> [UInt8]? {
        if pending.isEmpty { return repairedWhole(bytes, isLast: isLast) }
        let input = pending + bytes
        pending = []
        return input.withUnsafeBytes { repairedWhole($0, isLast: isLast) } ?? input
    }

    private mutating func repairedWhole(_ bytes: UnsafeRawBufferPointer, isLast: Bool) -> [UInt8]? {
        guard var flaw = Self.firstFlaw(in: bytes, from: 0) else { return nil }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        while true {
            output += bytes[(flaw.start)..<flaw.index]
            guard let byteCount = flaw.byteCount else { break }
            output += Self.placeholder
            guard let next = Self.firstFlaw(in: bytes, from: flaw.index + byteCount) else {
                return output + bytes[(flaw.index + byteCount)...]
            }
            flaw = next
        }
        let rest = bytes[flaw.index...]
        if !isLast {
            pending = Array(rest)
        } else {
            // The document ends here, or contains a lone "&": the XML parser reports it.
            output += rest.allSatisfy { $0 < 0x80 } ? Array(rest) : Self.placeholder
        }
        return output
    }

    /// Bytes that must be replaced.
    private struct Flaw {
        /// The offset at which the search started.
        let start: Int
        let index: Int
        /// The number of bytes; `nil` if more bytes may complete a character or a reference.
        let byteCount: Int?
    }

    /// The kind of text that begins at a byte.
    private enum Unit {
        case good(Int)
        case bad(Int)
        case incomplete
    }

    private static func firstFlaw(in bytes: UnsafeRawBufferPointer, from start: Int) -> Flaw? {
        let (ones, high) = (0x0101_0101_0101_0101 as UInt64, 0x8080_8080_8080_8080 as UInt64)
        var index = start
        while index < bytes.count {
            // Checks eight bytes at once: none may be beyond ASCII, below " ", or "&".
            while index + 8 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                let other = word ^ (ones &* UInt64(UInt8(ascii: "&")))
                let belowBlank = (word &- ones &* 0x20) & ~word
                let ampersand = (other &- ones) & ~other
                if (word | belowBlank | ampersand) & high != 0 { break }
                index += 8
            }
            let end = min(index + 8, bytes.count)
            while index < end {
                switch unit(in: bytes, at: index) {
                case .good(let count): index += count
                case .bad(let count): return Flaw(start: start, index: index, byteCount: count)
                case .incomplete: return Flaw(start: start, index: index, byteCount: nil)
                }
            }
        }
        return nil
    }

    private static func unit(in bytes: UnsafeRawBufferPointer, at index: Int) -> Unit {
        switch bytes[index] {
        case UInt8(ascii: "&"): reference(in: bytes, at: index)
        case UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x20...0x7f: .good(1)
        case 0xC2...0xDF: sequence(of: 2, in: bytes, at: index)
        case 0xE0...0xEF: sequence(of: 3, in: bytes, at: index)
        case 0xF0...0xF4: sequence(of: 4, in: bytes, at: index)
        default: .bad(1)
        }
    }

    /// Checks a character of several bytes (RFC 3629, section 4).
    private static func sequence(of count: Int, in bytes: UnsafeRawBufferPointer, at index: Int) -> Unit {
        let end = min(index + count, bytes.count)
        var value = UInt32(bytes[index]) & (0x7F >> UInt32(count))
        for byte in bytes[(index + 1)..<end] {
            guard byte & 0xC0 == 0x80 else { return .bad(1) }
            value = value << 6 | UInt32(byte & 0x3F)
        }
        if end - index < count { return .incomplete }
        // Rejects overlong encodings.
        let least: UInt32 = count == 2 ? 0x80 : count == 3 ? 0x800 : 0x1_0000
        return value >= least && isCharacter(value) ? .good(count) : .bad(1)
    }

    /// Checks references such as `&#10;` and `&#xA;`. The parser handles all others.
    private static func reference(in bytes: UnsafeRawBufferPointer, at index: Int) -> Unit {
        let candidate = bytes[index..<min(index + referenceByteCountMax, bytes.count)]
        guard candidate.count > 1 else { return .incomplete }
        guard candidate[index + 1] == UInt8(ascii: "#") else { return .good(1) }
        guard let end = candidate.firstIndex(of: UInt8(ascii: ";")) else {
            return candidate.count == referenceByteCountMax ? .good(1) : .incomplete
        }
        let isHexadecimal = candidate[index + 2] == UInt8(ascii: "x")
        var value: UInt32 = 0
        for byte in candidate[(index + (isHexadecimal ? 3 : 2))..<end] {
            guard let digit = digit(byte, isHexadecimal: isHexadecimal) else { return .good(1) }
            value = min(value * (isHexadecimal ? 16 : 10) + digit, 0x11_0000)
        }
        let count = end + 1 - index
        return isCharacter(value) ? .good(count) : .bad(count)
    }

    private static func digit(_ byte: UInt8, isHexadecimal: Bool) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f") where isHexadecimal: UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F") where isHexadecimal: UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    /// Returns `true` if XML allows a character (XML 1.0, section 2.2).
    private static func isCharacter(_ value: UInt32) -> Bool {
        switch value {
        case 0x9, 0xA, 0xD, 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }
}
