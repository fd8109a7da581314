public import SystemSupport

/// An entity tag: a value that S3 changes whenever the bytes of an object change.
///
/// Kept in one form, so that tags which mean the same are equal: between quotation marks, without white space around it, without
/// `W/`, and without the suffix that a proxy adds when it compresses an answer (`-gzip`, `--gzip`, `;gzip`). `If-Match` sends
/// this form (RFC 9110, section 8.8.3).
///
/// An object whose listing has no usable tag has a stand-in instead, which is no header value: see `init(standInFor:)`.
public struct ETag: Hashable, Sendable, CustomStringConvertible {
    /// The tag as one of two forms. Whatever can be a digest is one, so that equal tags have equal forms.
    private enum Form: Hashable {
        case digest(ETagDigest)
        /// A tag between quotation marks, or a stand-in, which has none.
        case text(String)
    }

    private let form: Form

    /// The tag of this header value.
    public init(_ text: String) {
        self.init(utf8: Array(text.utf8))
    }

    /// The tag of a header value's bytes. Bytes that are no UTF-8 are replaced.
    public init(utf8 bytes: [UInt8]) {
        form = ETagDigest(bytes.span).map { .digest($0) } ?? Self.form(ofNormalized: ETagText.normalized(bytes))
    }

    /// The tag of these bytes, which come from a store; `nil` where they are no tag: empty, or with characters that can't stand in
    /// a header or end a tag.
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

    /// The tag that is written as this digest.
    public init(_ digest: ETagDigest) {
        form = .digest(digest)
    }

    /// The tag between quotation marks, as it stands in a header; a stand-in's own text where there is no tag.
    public var text: String {
        switch form {
        case .digest(let digest): digest.text
        case .text(let text): text
        }
    }

    /// The tag in few bytes; `nil` where it is not of the form that S3 usually gives it.
    public var digest: ETagDigest? {
        switch form {
        case .digest(let digest): digest
        case .text: nil
        }
    }

    /// The tag as it stands in a header.
    public var description: String { text }
}

// MARK: - Objects without a tag

extension ETag {
    private static let timePrefix = "modified="
    private static let processPrefix = "process="
    /// Differs in each process, so that nothing that a process kept of an object is taken for another's.
    private static let process = UInt64.random(in: 0...(.max))

    /// The stand-in for the tag of an object that the listing gives none for. Together with the size, it identifies a version.
    ///
    /// - Parameter lastModified: When the object was written. Where this is unknown too, the stand-in is of this process only:
    ///   bytes of such an object are not found again in a cache that outlives the process.
    public init(standInFor lastModified: Timestamp?) {
        guard let time = lastModified else {
            self.init(form: .text(Self.processPrefix + String(Self.process, radix: 16)))
            return
        }
        self.init(form: .text("\(Self.timePrefix)\(time.seconds).\(time.nanoseconds.padded(to: 9))"))
    }

    /// The tag whose `text` was kept in a cache, a stand-in included.
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

    /// The time at which the object of a stand-in was last modified; `nil` for a tag, and where the time is unknown.
    public var standInTime: Timestamp? {
        guard isStandIn, case .text(let text) = form, text.hasPrefix(Self.timePrefix) else { return nil }
        let parts = text.dropFirst(Self.timePrefix.count).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let seconds = Int(parts[0]), let nanoseconds = Int(parts[1]),
            (0..<1_000_000_000).contains(nanoseconds)
        else { return nil }
        return Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    }
}

/// The one form of a tag.
private enum ETagText {
    private static let quote = UInt8(ascii: "\"")
    /// The suffixes of Apache and nginx, of Jetty, and of others, the longest first.
    private static let compressionSuffixes = ["--gzip", "-gzip", ";gzip"]

    /// The tag between quotation marks, without what servers on the way add.
    static func normalized(_ bytes: [UInt8]) -> [UInt8] {
        var tag = bytes.drop(while: isBlank)
        while let last = tag.last, isBlank(last) { tag.removeLast() }
        if tag.starts(with: "W/".utf8) || tag.starts(with: "w/".utf8) { tag.removeFirst(2) }
        // Some write the suffix behind the quotation mark.
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

    /// Returns `true` if a normalized tag has something between its quotation marks, and nothing that ends it or a header.
    static func isValid(_ tag: [UInt8]) -> Bool {
        let inner = tag.dropFirst().dropLast()
        // U+FDD0 stands for bytes that could not be read (`TextRepair`).
        return !inner.isEmpty && inner.allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != quote }
            && !String(decoding: inner, as: UTF8.self).unicodeScalars.contains { [0xFFFD, 0xFDD0].contains($0.value) }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || (UInt8(ascii: "\t")...UInt8(ascii: "\r")).contains(byte)
    }
}
