/// The token with which a listing continues; opaque.
public struct ContinuationToken: Hashable, Sendable {
    /// The token as the store wrote it; empty for a marker.
    public let text: String
    /// The key after which the listing continues, for a store without tokens (S3's ListObjects, version 1).
    public let marker: Key?

    /// Creates the token that the store wrote as `text`.
    public init(_ text: String) {
        self.text = text
        marker = nil
    }

    /// Creates a token for the keys after `marker`.
    public init(marker: Key) {
        text = ""
        self.marker = marker
    }
}
