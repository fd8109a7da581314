import ObjectStore

/// The bytes of a URL's path or query value, `%XX` decoded (RFC 3986, section 2.1).
///
/// - Parameter plusIsSpace: As in a query, where S3 takes "+" for a space, unlike in a path.
/// - Returns: `nil` where a "%" has no two hexadecimal digits behind it.
func percentDecoded(_ text: some StringProtocol, plusIsSpace: Bool) -> [UInt8]? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        switch byte {
        case UInt8(ascii: "%"):
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
        default: bytes.append(byte)
        }
    }
    return bytes
}

/// A key as a listing with `encoding-type=url` shows it: like a form's value, a space as "+", but "/" as it is.
func urlEncoded(_ key: Key) -> String {
    key.bytes.map { byte in
        switch UInt8(byte) {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: "*"), UInt8(ascii: "/"):
            String(UnicodeScalar(byte))
        case UInt8(ascii: " "): "+"
        default: (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
        }
    }.joined()
}
