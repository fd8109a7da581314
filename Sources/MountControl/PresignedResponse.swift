import FileSystem
import ObjectStore
import SystemSupport

/// A presigned URL as a response has it.
struct PresignedResponse: Codable {
    private let key: [UInt8]
    private let byteCount: Int?
    private let text: String
    /// The expiry, in seconds since the epoch.
    private let expiry: Int?
    private let constraint: UInt32?

    init(_ file: PresignedFile) {
        key = file.key.bytes
        byteCount = file.byteCount
        text = file.url.text
        expiry = file.url.expiry?.seconds
        constraint = file.url.constraint?.rawValue
    }

    var file: PresignedFile {
        let url = ObjectURL(
            text: text, expiry: expiry.map { Timestamp(seconds: $0) },
            constraint: constraint.flatMap { ObjectURL.Constraint(rawValue: $0) })
        return PresignedFile(key: Key(key), byteCount: byteCount, url: url)
    }
}
