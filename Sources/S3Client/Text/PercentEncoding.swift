import Glibc

/// Percent-encoding as in Signature Version 4 and in S3's listings.
enum PercentEncoding {
    /// The part of a URL, which determines the reserved bytes.
    enum Component {
        /// The path of an object, in which "/" is not encoded.
        case path
        /// A name or a value of a query.
        case query
    }

    /// Encodes all bytes but RFC 3986's unreserved characters (`A-Z a-z 0-9 - . _ ~`) as `%XX`, in uppercase.
    ///
    /// The result is sent and signed: S3 encodes the path once and leaves "//" and ".." in it, while other AWS services
    /// encode it twice and normalize it (Signature Version 4, "Create a canonical request").
    static func encode(_ bytes: some Sequence<UInt8>, as component: Component) -> String {
        var encoded: [UInt8] = []
        for byte in bytes {
            if isUnreserved(byte) || (component == .path && byte == UInt8(ascii: "/")) {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), hexDigit(byte >> 4), hexDigit(byte & 0xF)]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// Decodes the bytes of a response with `EncodingType=url`: `%XX` is a byte, "+" is a space.
    ///
    /// S3 and MinIO encode a space as "+", other servers as "%20"; all encode a plus as "%2B".
    ///
    /// - Returns: `nil` if a "%" is not followed by two hexadecimal digits.
    static func decodeForm(_ bytes: [UInt8]) -> [UInt8]? {
        // Almost all keys have neither.
        if !hasEscapes(bytes) { return bytes }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "+"):
                decoded.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard index + 2 < bytes.count, let high = hexValue(bytes[index + 1]),
                    let low = hexValue(bytes[index + 2])
                else { return nil }
                decoded.append(high << 4 | low)
                index += 2
            case let byte:
                decoded.append(byte)
            }
            index += 1
        }
        return decoded
    }

    /// Returns `true` if `decodeForm` would replace a byte.
    static func hasEscapes(_ bytes: [UInt8]) -> Bool {
        bytes.has(UInt8(ascii: "%")) || bytes.has(UInt8(ascii: "+"))
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default:
            false
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

extension [UInt8] {
    /// Returns `true` if the bytes contain this one. `contains` looks at one byte after the other.
    func has(_ byte: UInt8) -> Bool {
        withUnsafeBytes { bytes in bytes.baseAddress.map { memchr($0, CInt(byte), bytes.count) != nil } ?? false }
    }
}
