internal import CCrypto

/// SHA-256, HMAC-SHA-256 and digests for older formats, by OpenSSL.
enum Digest {
    private static let byteCount = 32

    /// Returns the SHA-256 digest of `message`.
    static func sha256(_ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        _ = SHA256(message, message.count, &digest)
        return digest
    }

    /// Returns the HMAC-SHA-256 of `message` with `key` (RFC 2104).
    static func hmac(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        // For OpenSSL, a null key means the previous key, and an empty array may be null.
        let code = (key.isEmpty ? [0] : key).withUnsafeBytes { keyBytes in
            HMAC(EVP_sha256(), keyBytes.baseAddress, CInt(key.count), message, message.count, &digest, nil)
        }
        precondition(code != nil, "OpenSSL has no HMAC-SHA-256")
        return digest
    }

    /// Returns the SHA-1 digest of `message`. For the file names of other programs, never for security.
    static func sha1(_ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 20)
        _ = SHA1(message, message.count, &digest)
        return digest
    }

    /// Returns the MD5 digest of `message`. For S3 headers that need it as a checksum.
    static func md5(_ message: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 16)
        _ = EVP_Digest(message, message.count, &digest, nil, EVP_md5(), nil)
        return digest
    }

    /// Returns the bytes in lower-case hexadecimal.
    static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xF)]] }, as: UTF8.self)
    }
}
