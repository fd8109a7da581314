import SystemSupport

/// What almost every ETag of S3's is: an MD5 between quotation marks, with the number of parts behind it if the object was
/// uploaded in parts, `"9b2cf535f27731c974343645a3985328-12"`; in 18 bytes instead of a text.
///
/// Not a claim about the object's bytes: an encrypted object's ETag looks the same and is no MD5 of them ("Object" in the
/// Amazon S3 API Reference).
public struct ETagDigest: Hashable, Sendable {
    /// The first 16 hexadecimal digits.
    public let high: UInt64
    /// The other 16.
    public let low: UInt64
    /// What stands behind the hyphen; 0 where there is none.
    public let partCount: UInt16

    /// S3 allows 10,000 parts; a number above this limit is left a text.
    public static let partCountMax: UInt16 = 65_534

    /// The digest of these digits.
    ///
    /// - Parameter partCount: 0, or the number of parts, `partCountMax` at the most.
    public init(high: UInt64, low: UInt64, partCount: UInt16) {
        precondition(partCount <= Self.partCountMax, "more parts than an ETagDigest can hold")
        self.high = high
        self.low = low
        self.partCount = partCount
    }

    private static let quote = UInt8(ascii: "\"")
    private static let hyphen = UInt8(ascii: "-")
    private static let digitCount = 32

    /// The digest that is written as these bytes; `nil` where they are anything else, be it the same digits in capitals:
    /// what is sent back must be what came.
    init?(_ text: borrowing Span<UInt8>) {
        // The two quotation marks and the digits; then a hyphen and one to five more digits.
        let plainCount = Self.digitCount + 2
        let count = text.count
        guard count == plainCount || (count >= plainCount + 2 && count <= plainCount + 6), text[0] == Self.quote,
            text[count - 1] == Self.quote, let high = Self.hexadecimal(text, from: 1),
            let low = Self.hexadecimal(text, from: 1 + Self.digitCount / 2)
        else { return nil }
        var partCount: UInt16 = 0
        if count > plainCount {
            guard text[plainCount - 1] == Self.hyphen, let number = Self.decimal(text, in: plainCount..<count - 1)
            else {
                return nil
            }
            partCount = number
        }
        self.init(high: high, low: low, partCount: partCount)
    }

    /// Sixteen digits, as S3 writes them.
    private static func hexadecimal(_ text: borrowing Span<UInt8>, from start: Int) -> UInt64? {
        var number: UInt64 = 0
        for index in start..<start + digitCount / 2 {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return number
    }

    /// A number from 1 to `partCountMax`, as it is written: without zeros before it.
    private static func decimal(_ text: borrowing Span<UInt8>, in range: Range<Int>) -> UInt16? {
        var number = 0
        for index in range {
            let byte = text[index]
            guard byte.isDigit else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
            if number == 0 { return nil }
        }
        return number <= Int(partCountMax) ? UInt16(number) : nil
    }

    /// The ETag that it is.
    var text: String {
        let width = Self.digitCount / 2
        let quoted = "\"" + high.padded(to: width, radix: 16) + low.padded(to: width, radix: 16)
        return partCount == 0 ? quoted + "\"" : quoted + "-\(partCount)\""
    }
}
