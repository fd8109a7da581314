import SystemPackage
import SystemSupport

/// A key that objects are encrypted with and that S3 is given with each request ("Using server-side encryption with
/// customer-provided keys (SSE-C)" in the Amazon S3 User Guide). Never printed.
public struct CustomerKey: Sendable, CustomStringConvertible, CustomReflectable {
    /// AES-256.
    private static let byteCount = 32
    /// The header that has the key.
    static let headerName = "x-amz-server-side-encryption-customer-key"

    private let bytes: [UInt8]

    /// Reads a file that holds 32 bytes, or these in Base64.
    ///
    /// - Throws: What is wrong with the file; also where others than its owner may read it.
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
        else { throw SettingsError("\(path) holds no SSE-C key: that is 32 bytes, or these in Base64") }
        bytes = key
    }

    private static func checkPermissions(of file: FileDescriptor, path: String) throws {
        guard try file.stat().permissions.isDisjoint(with: [.groupRead, .groupWrite, .otherRead, .otherWrite]) else {
            throw SettingsError("others may read or write the SSE-C key in \(path); do: chmod 600 \(path)")
        }
    }

    /// The headers that a GET has.
    var headers: [HTTPHeader] {
        [
            HTTPHeader("x-amz-server-side-encryption-customer-algorithm", "AES256"),
            HTTPHeader(Self.headerName, Base64.encode(bytes)),
            HTTPHeader("x-amz-server-side-encryption-customer-key-MD5", Base64.encode(Digest.md5(bytes))),
        ]
    }

    /// Nothing of the key.
    public var description: String { "an SSE-C key" }

    /// Nothing to see.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
