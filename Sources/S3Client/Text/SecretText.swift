/// Secrets to remove from messages, such as a session token: a server may repeat what it was sent, or a piece of it.
struct SecretText: Sendable {
    /// The length of the shortest secret. Removing shorter texts would make messages unreadable.
    private static let byteCountMin = 8
    /// The length of a piece that identifies a secret: no message contains that many bytes of it by chance.
    private static let pieceByteCount = 12

    private let secrets: [String]
    private let phrases: [String]

    /// Creates a filter; texts that are too short to be secret are ignored.
    ///
    /// - Parameters:
    ///   - secrets: Texts to remove with all their pieces: messages are cut to a length that tokens exceed.
    ///   - phrases: Texts to remove as a whole only.
    init(_ secrets: [String?], phrases: [String?] = []) {
        self.secrets = secrets.compactMap { $0 }.filter { $0.utf8.count >= Self.byteCountMin }
        self.phrases = phrases.compactMap { $0 }.filter { $0.utf8.count >= Self.byteCountMin }
    }

    /// Returns `text` without the secrets.
    func removed(from text: String) -> String {
        let rest = (phrases + secrets).reduce(text) { $0.replacing($1, with: Self.mark) }
        return Self.joined(Array(rest.utf8), without: secretBytes(of: Array(rest.utf8)))
    }

    private static let mark = "[…]"

    /// Returns a flag for each byte: `true` if it belongs to a piece of a secret.
    private func secretBytes(of bytes: [UInt8]) -> [Bool] {
        var isSecret = Array(repeating: false, count: bytes.count)
        for secret in secrets {
            let pieces = Set(Self.pieces(of: Array(secret.utf8)))
            for piece in Self.pieces(of: bytes) where pieces.contains(piece) {
                for index in piece.indices { isSecret[index] = true }
            }
            for piece in Self.beginnings(of: Array(secret.utf8), in: bytes) {
                for index in piece { isSecret[index] = true }
            }
        }
        return isSecret
    }

    /// Returns the ranges of a secret's first bytes before an ellipsis: the excerpt was cut within the secret.
    private static func beginnings(of secret: [UInt8], in bytes: [UInt8]) -> [Range<Int>] {
        let cut = Array("…".utf8)
        let ends = bytes.indices.filter { bytes[$0...].starts(with: cut) }
        return ends.compactMap { end in
            let counts = (4..<pieceByteCount).filter { $0 <= end && bytes[..<end].suffix($0) == secret.prefix($0) }
            return counts.max().map { end - $0..<end }
        }
    }

    private static func pieces(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        guard bytes.count >= pieceByteCount else { return [] }
        return (0...bytes.count - pieceByteCount).map { bytes[$0..<$0 + pieceByteCount] }
    }

    /// Returns the bytes as text, with a mark in place of the secret ones.
    private static func joined(_ bytes: [UInt8], without isSecret: [Bool]) -> String {
        var kept: [UInt8] = []
        for index in bytes.indices {
            if !isSecret[index] {
                kept.append(bytes[index])
            } else if index == 0 || !isSecret[index - 1] {
                kept += Array(mark.utf8)
            }
        }
        return String(decoding: kept, as: UTF8.self)
    }
}
