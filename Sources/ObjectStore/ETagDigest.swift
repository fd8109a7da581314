import SystemSupport

/// The usual form of S3's ETags, in 18 bytes instead of a text: an MD5 between quotation marks, followed by the number
/// of parts if the object was uploaded in parts, as in `"9b2cf535f27731c974343645a3985328-12"`.
///
/// The digest says nothing about the object's bytes: the ETag of an encrypted object looks the same, and is not their
/// MD5 ("Object" in the Amazon S3 API Reference).
public struct ETagDigest: Hashable, Sendable {
    /// The first 16 hexadecimal digits.
    public let high: UInt64
    /// The last 16 hexadecimal digits.
    public let low: UInt64
    /// The number after the hyphen; 0 if there is none.
    public let partCount: UInt16

    /// The largest part count of a digest. S3 allows 10,000 parts; an ETag with more than this remains a text.
    public static let partCountMax: UInt16 = 65_534

    /// Creates a digest.
    ///
    /// - Parameter partCount: 0, or the number of parts, at most `partCountMax`.
    public init(high: UInt64, low: UInt64, partCount: UInt16) {
        precondition(partCount <= Self.partCountMax, "more parts than an ETagDigest can hold")
        self.high = high
        self.low = low
        self.partCount = partCount
    }

    private static let quote = UInt8(ascii: "\"")
    private static let hyphen = UInt8(ascii: "-")
    private static let digitCount = 32

    /// Reads a digest; `nil` for any other text, including the same digits in uppercase: the tag must be sent back
    /// exactly as it was received.
    init?(_ text: borrowing Span<UInt8>) {
        let count = text.count
        guard count > 2, text[0] == Self.quote, text[count - 1] == Self.quote else { return nil }
        self.init(unquoted: text.extracting(1..<count - 1))
    }

    /// Reads a digest without its quotation marks; `nil` for any other text.
    public init?(unquoted text: borrowing Span<UInt8>) {
        // The digits; then a hyphen and one to five more digits.
        let count = text.count
        guard count == Self.digitCount || (count >= Self.digitCount + 2 && count <= Self.digitCount + 6),
            let high = Self.hexadecimal(text, from: 0), let low = Self.hexadecimal(text, from: Self.digitCount / 2)
        else { return nil }
        var partCount: UInt16 = 0
        if count > Self.digitCount {
            guard text[Self.digitCount] == Self.hyphen,
                let number = Self.decimal(text, in: Self.digitCount + 1..<count)
            else { return nil }
            partCount = number
        }
        self.init(high: high, low: low, partCount: partCount)
    }

    /// Reads sixteen lowercase hexadecimal digits.
    private static func hexadecimal(_ text: borrowing Span<UInt8>, from start: Int) -> UInt64? {
        var number: UInt64 = 0
        for index in start..<start + digitCount / 2 {
            let byte = text[index]
            let digit = byte.isDigit ? byte - UInt8(ascii: "0") : byte &- UInt8(ascii: "a") &+ 10
            guard digit < 16, byte.isDigit || digit >= 10 else { return nil }
            number = number << 4 | UInt64(digit)
        }
        return number
    }

    /// Reads a number from 1 to `partCountMax` without leading zeros.
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

    /// The ETag as text.
    var text: String {
        let width = Self.digitCount / 2
        let quoted = "\"" + high.padded(to: width, radix: 16) + low.padded(to: width, radix: 16)
        return partCount == 0 ? quoted + "\"" : quoted + "-\(partCount)\""
    }
}
