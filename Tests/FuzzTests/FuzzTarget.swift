/// A reader of bytes from outside, and its invariants for all inputs.
struct FuzzTarget: Sendable {
    /// The name of the target and of its corpus's folder.
    let name: String
    /// Gives the bytes to the reader. Throws if an invariant does not hold.
    let check: @Sendable (_ bytes: [UInt8]) throws -> Void

    /// All of them.
    static let all: [FuzzTarget] = [
        .listing, .storeError, .securityToken, .settings, .credentialsDocument, .command, .head, .time, .key,
        .listingBlock,
        .cacheIndex, .listingDatabase,
    ]
}

/// The error of an invariant that does not hold.
struct Violation: Error, CustomStringConvertible {
    let description: String
}

/// Throws a `Violation` if an invariant does not hold.
func require(_ condition: Bool, _ description: @autoclosure () -> String) throws {
    guard condition else { throw Violation(description: description()) }
}

/// Throws if `text` is not fit for a log or a terminal: it has control characters, turns text around, or is long.
func requirePlain(_ text: String, limit: Int = 2_048) throws {
    try require(text.unicodeScalars.count <= limit, "a message has \(text.unicodeScalars.count) characters")
    let control = text.unicodeScalars.first {
        [.control, .format, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
    }
    try require(control == nil, "a message has a control character: \(text.debugDescription)")
}
