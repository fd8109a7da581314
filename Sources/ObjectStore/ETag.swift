/// An entity tag: what S3 changes whenever the bytes of an object change.
///
/// Opaque, with its quotation marks, just as the listing gave it, so that `If-Match` can send it back unchanged
/// (RFC 9110, section 8.8.3).
public struct ETag: Hashable, Sendable, CustomStringConvertible {
    /// The tag as one of two forms. Whatever can be a digest is one, so that equal tags have equal forms.
    private enum Form: Hashable {
        case digest(ETagDigest)
        case text(String)
    }

    private let form: Form

    /// The tag of this header value.
    public init(_ text: String) {
        form = ETagDigest(text.utf8.span).map { .digest($0) } ?? .text(text)
    }

    /// The tag of a header value's bytes. What is no UTF-8 in them is replaced.
    public init(utf8 bytes: [UInt8]) {
        form = ETagDigest(bytes.span).map { .digest($0) } ?? .text(String(decoding: bytes, as: UTF8.self))
    }

    /// The tag that is written as this digest.
    public init(_ digest: ETagDigest) {
        form = .digest(digest)
    }

    /// The tag as it stands in a header, quotation marks included.
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
