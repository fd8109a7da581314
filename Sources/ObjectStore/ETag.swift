public import SystemSupport

/// An entity tag: a value that S3 changes whenever the bytes of an object change.
///
/// Stored in one form, so that tags with the same meaning are equal: with quotation marks, without white space around
/// it, without `W/`, and without the suffix that a proxy adds when it compresses a response (`-gzip`, `--gzip`,
/// `;gzip`). `If-Match` sends this form (RFC 9110, section 8.8.3).
///
/// An object without a usable tag in the listing has a stand-in instead, which is not a header value: see
/// `init(standInFor:)`.
public struct ETag: Hashable, Sendable, CustomStringConvertible {
    /// One of two forms. A tag that can be a digest is one, so that equal tags have equal forms.
    private enum Form: Hashable {
        case digest(ETagDigest)
        /// A tag with its quotation marks, or a stand-in, which has none.
        case text(String)
    }

    private let form: Form

    /// Creates the tag of a header value.
    public init(_ text: String) {
        self.init(utf8: Array(text.utf8))
    }

    /// Creates the tag of a header value's bytes. Bytes that are not UTF-8 are replaced.
    public init(utf8 bytes: [UInt8]) {
        form = ETagDigest(bytes.span).map { .digest($0) } ?? Self.form(ofNormalized: ETagText.normalized(bytes))
    }

    /// Creates a tag from the bytes that a store sent; `nil` if they are empty, or contain characters that end a tag or
    /// are not allowed in a header.
    public init?(validating bytes: [UInt8]) {
        if let digest = ETagDigest(bytes.span) {
            form = .digest(digest)
        } else {
            let normalized = ETagText.normalized(bytes)
            guard ETagText.isValid(normalized) else { return nil }
            form = Self.form(ofNormalized: normalized)
        }
    }

    private init(form: Form) {
        self.form = form
    }

    private static func form(ofNormalized bytes: [UInt8]) -> Form {
        ETagDigest(bytes.span).map { .digest($0) } ?? .text(String(decoding: bytes, as: UTF8.self))
    }

    /// Creates the tag of a digest.
    public init(_ digest: ETagDigest) {
        form = .digest(digest)
    }

    /// The tag with its quotation marks, as in a header; the text of a stand-in.
    public var text: String {
        switch form {
        case .digest(let digest): digest.text
        case .text(let text): text
        }
    }

    /// The tag as a digest; `nil` if it doesn't have the usual form of S3's tags.
    public var digest: ETagDigest? {
        switch form {
        case .digest(let digest): digest
        case .text: nil
        }
    }

    /// The same as `text`.
    public var description: String { text }
}

// MARK: - Objects without a tag

extension ETag {
    private static let timePrefix = "modified="
    private static let processPrefix = "process="
    /// Different in each process, so that no other process uses what this one has cached of such an object.
    private static let process = UInt64.random(in: 0...(.max))

    /// Creates the stand-in for the tag of an object without one in the listing. Together with the size, it identifies
    /// a version.
    ///
    /// - Parameter lastModified: The time at which the object was written. If this is unknown too, the stand-in is
    ///   valid in this process only: a cache that outlives the process doesn't find the bytes of such an object again.
    public init(standInFor lastModified: Timestamp?) {
        guard let time = lastModified else {
            self.init(form: .text(Self.processPrefix + String(Self.process, radix: 16)))
            return
        }
        self.init(form: .text("\(Self.timePrefix)\(time.seconds).\(time.nanoseconds.padded(to: 9))"))
    }

    /// Creates a tag or a stand-in from its `text`, which a cache has stored.
    public init(stored text: String) {
        if text.hasPrefix(Self.timePrefix) || text.hasPrefix(Self.processPrefix) {
            self.init(form: .text(text))
        } else {
            self.init(text)
        }
    }

    /// `true` if the object has no known tag.
    public var isStandIn: Bool {
        switch form {
        case .digest: false
        case .text(let text): text.utf8.first != UInt8(ascii: "\"")
        }
    }

    /// The time at which the object of a stand-in was last modified; `nil` for a tag, or if the time is unknown.
    public var standInTime: Timestamp? {
        guard isStandIn, case .text(let text) = form, text.hasPrefix(Self.timePrefix) else { return nil }
        let parts = text.dropFirst(Self.timePrefix.count).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let seconds = Int(parts[0]), let nanoseconds = Int(parts[1]),
            (0..<1_000_000_000).contains(nanoseconds)
        else { return nil }
        return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    }
}

/// The normalized form of a tag.
private enum ETagText {
    private static let quote = UInt8(ascii: "\"")
    /// The suffixes of Apache and nginx, of Jetty, and of others, the longest first.
    private static let compressionSuffixes = ["--gzip", "-gzip", ";gzip"]

    /// Returns the tag with quotation marks, and without the additions of proxies.
    static func normalized(_ bytes: [UInt8]) -> [UInt8] {
        var tag = bytes.drop(while: \.isWhitespace)
        while let last = tag.last, last.isWhitespace { tag.removeLast() }
        if tag.starts(with: "W/".utf8) || tag.starts(with: "w/".utf8) { tag.removeFirst(2) }
        // Some proxies write the suffix after the quotation mark.
        tag = withoutCompressionSuffix(tag)
        if tag.first == quote { tag.removeFirst() }
        if tag.last == quote { tag.removeLast() }
        return [quote] + withoutCompressionSuffix(tag) + [quote]
    }

    private static func withoutCompressionSuffix(_ tag: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        for suffix in compressionSuffixes where tag.count > suffix.utf8.count {
            if tag.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) { return tag.dropLast(suffix.utf8.count) }
        }
        return tag
    }

    /// Returns `true` if a normalized tag isn't empty, and contains no character that ends a tag or a header.
    static func isValid(_ tag: [UInt8]) -> Bool {
        let inner = tag.dropFirst().dropLast()
        // U+FDD0 stands for bytes that are not text (`TextRepair`).
        return !inner.isEmpty && inner.allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != quote }
            && !String(decoding: inner, as: UTF8.self).unicodeScalars.contains { [0xFFFD, 0xFDD0].contains($0.value) }
    }
}
