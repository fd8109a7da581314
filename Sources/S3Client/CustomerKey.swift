import SystemPackage
import SystemSupport

/// The key of server-side encryption with customer-provided keys (SSE-C), which S3 needs in each request ("Using
/// server-side encryption with customer-provided keys (SSE-C)" in the Amazon S3 User Guide). Never printed.
public struct CustomerKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// AES-256.
    private static let byteCount = 32
    /// The name of the header that holds the key.
    static let headerName = "x-amz-server-side-encryption-customer-key"

    private let bytes: [UInt8]

    /// Reads a file that holds 32 bytes, raw or in Base64.
    ///
    /// - Throws: An error if the file has other content, or if users other than its owner may read or write it.
    public init(file path: String) throws(SettingsError) {
        let content: [UInt8]
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
            content = try file.closeAfter {
                try Self.checkPermissions(of: file, path: path)
                return try file.readToEnd(limit: 1_024)
            }
        } catch let error as SettingsError {
            throw error
        } catch {
            throw SettingsError("the SSE-C key in \(path) can't be read: \(error)")
        }
        guard let key = content.count == Self.byteCount ? content : Base64.decode(content), key.count == Self.byteCount
        else { throw SettingsError("\(path) holds no SSE-C key (expected 32 bytes, raw or in Base64)") }
        bytes = key
    }

    private static func checkPermissions(of file: FileDescriptor, path: String) throws {
        guard try file.stat().permissions.isDisjoint(with: [.groupRead, .groupWrite, .otherRead, .otherWrite]) else {
            throw SettingsError("other users may read or write the SSE-C key in \(path); run: chmod 600 \(path)")
        }
    }

    /// The headers of a GET request.
    var headers: [HTTPHeader] {
        [
            HTTPHeader("x-amz-server-side-encryption-customer-algorithm", "AES256"),
            HTTPHeader(Self.headerName, Base64.encode(bytes)),
            HTTPHeader("x-amz-server-side-encryption-customer-key-MD5", Base64.encode(Digest.md5(bytes))),
        ]
    }

    /// A fixed text that reveals nothing of the key.
    public var description: String { "an SSE-C key" }

    /// An empty mirror, so that `dump` does not print the key.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
