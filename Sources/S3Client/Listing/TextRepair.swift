/// Makes text of bytes that XML could not hold, so that one key of such bytes does not spoil a whole page: bytes that are no
/// UTF-8, control characters, and references to characters that XML does not have each become U+FDD0, a character that no text
/// holds.
///
/// Some stores list keys as they are kept, whatever bytes those have, and ignore `EncodingType=url`.
struct TextRepair {
    /// The UTF-8 bytes of U+FDD0.
    static let placeholder: [UInt8] = [0xEF, 0xB7, 0x90]
    /// `&#x0010FFFF;` and a few zeros more.
    private static let referenceByteCountMax = 16

    /// The bytes of a character, or of a reference, whose end has not come.
    private var pending: [UInt8] = []

    /// Returns the next bytes repaired; `nil` where they can be used as they are, which is the rule.
    ///
    /// - Parameter isLast: Whether no bytes follow.
    mutating func repaired(_ bytes: UnsafeRawBufferPointer, isLast: Bool) -> [UInt8]? {
        if pending.isEmpty, Self.isPlain(bytes) { return nil }
        let input = pending + bytes
        pending = []
        var output: [UInt8] = []
        output.reserveCapacity(input.count)
        var index = 0
        while index < input.count {
            switch Self.unit(in: input[index...]) {
            case .incomplete where !isLast:
                pending = Array(input[index...])
                return output
            case .good(let count):
                output += input[index..<index + count]
                index += count
            case .bad(let count):
                output += Self.placeholder
                index += count
            case .incomplete:
                // The document is cut off here, or an "&" stands alone: the XML parser says so.
                output += input[index] < 0x80 ? input[index...] : Self.placeholder[...]
                return output
            }
        }
        return output
    }

    /// What stands at the beginning of some bytes.
    private enum Unit {
        case good(Int)
        case bad(Int)
        /// Bytes that may be a character once more of them have come.
        case incomplete
    }

    /// Whether all bytes are ASCII that XML can hold, without a reference to a character.
    private static func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let (low, high, amp) = (0x0101_0101_0101_0101 as UInt64, 0x8080_8080_8080_8080 as UInt64, 0x26 as UInt64)
        var index = 0
        while index < bytes.count {
            // Eight bytes at once, as long as none is beyond ASCII, below " ", or "&".
            if index + 8 <= bytes.count {
                let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                let other = word ^ (low &* amp)
                let isBlankBelow = (word &- low &* 0x20) & ~word & high
                let isAmpersand = (other &- low) & ~other & high
                if (word & high) | isBlankBelow | isAmpersand == 0 {
                    index += 8
                    continue
                }
            }
            for byte in index..<min(index + 8, bytes.count) {
                switch bytes[byte] {
                case UInt8(ascii: "&"):
                    if byte + 1 == bytes.count || bytes[byte + 1] == UInt8(ascii: "#") { return false }
                case 0x80...: return false
                case let value where isControl(value): return false
                default: break
                }
            }
            index += 8
        }
        return true
    }

    private static func isControl(_ byte: UInt8) -> Bool {
        byte < 0x20 && byte != UInt8(ascii: "\t") && byte != UInt8(ascii: "\n") && byte != UInt8(ascii: "\r")
    }

    private static func unit(in bytes: ArraySlice<UInt8>) -> Unit {
        guard let first = bytes.first else { return .incomplete }
        if first == UInt8(ascii: "&") { return reference(in: bytes) }
        if first < 0x80 { return isControl(first) ? .bad(1) : .good(1) }
        let count: Int
        switch first {
        case 0xC2...0xDF: count = 2
        case 0xE0...0xEF: count = 3
        case 0xF0...0xF4: count = 4
        default: return .bad(1)
        }
        let sequence = bytes.prefix(count)
        guard sequence.dropFirst().allSatisfy({ $0 & 0xC0 == 0x80 }) else { return .bad(1) }
        if sequence.count < count { return .incomplete }
        guard let text = String(validating: sequence, as: UTF8.self), let scalar = text.unicodeScalars.first else {
            return .bad(1)
        }
        return isCharacter(scalar.value) ? .good(count) : .bad(count)
    }

    /// `&#10;` and `&#xA;`. Other references are left to the parser.
    private static func reference(in bytes: ArraySlice<UInt8>) -> Unit {
        let candidate = bytes.prefix(referenceByteCountMax)
        guard candidate.count > 1 else { return .incomplete }
        guard candidate[candidate.startIndex + 1] == UInt8(ascii: "#") else { return .good(1) }
        guard let end = candidate.firstIndex(of: UInt8(ascii: ";")) else {
            return candidate.count == referenceByteCountMax ? .good(1) : .incomplete
        }
        let digits = String(decoding: candidate[(candidate.startIndex + 2)..<end], as: UTF8.self)
        let value = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        guard let value else { return .good(1) }
        let count = end + 1 - bytes.startIndex
        return isCharacter(value) ? .good(count) : .bad(count)
    }

    /// Whether XML can hold a character (XML 1.0, section 2.2).
    private static func isCharacter(_ value: UInt32) -> Bool {
        switch value {
        case 0x9, 0xA, 0xD, 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
        default: false
        }
    }
}
