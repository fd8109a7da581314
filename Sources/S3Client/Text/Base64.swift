internal import CCrypto

/// Base64 (RFC 4648, section 4), by OpenSSL.
enum Base64 {
    /// Encodes bytes.
    static func encode(_ bytes: [UInt8]) -> String {
        // OpenSSL appends a NUL.
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, CInt(bytes.count))
        return String(decoding: text.prefix(Int(count)), as: UTF8.self)
    }

    /// Decodes a text, which may have blanks and line breaks at both ends.
    ///
    /// - Returns: `nil` if the text is not Base64.
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        let padding = text.reversed().drop(while: isBlank).prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        var bytes = [UInt8](repeating: 0, count: text.count)
        let count = EVP_DecodeBlock(&bytes, text, CInt(text.count))
        guard count >= padding else { return nil }
        return Array(bytes.prefix(Int(count) - padding))
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d }
}
