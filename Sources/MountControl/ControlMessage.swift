import CLinux

/// The message of a control call, which is the ioctl(2) `TRACTFS_CONTROL` on a folder of a mount. Requests and
/// responses have one form: a head, and a JSON document, or a page of one.
struct ControlMessage {
    /// The size of the memory that is passed. An ioctl's number has 14 bits for it.
    static let byteCountMax = Int(TRACTFS_CONTROL_BYTE_COUNT)
    /// The most bytes of a document in one message.
    static let contentByteCountMax = byteCountMax - MemoryLayout<Head>.size
    /// The version of requests and responses. Increase it with every change that an older program would misread. The
    /// head, and the request `processes`, never change. New requests and new members of responses need no new version.
    static let currentVersion: UInt32 = 1

    enum Kind: UInt32 {
        case request = 1
        case response
        /// The document is a `FileSystem.Failure`.
        case failure
        /// The server doesn't know this version, or this request.
        case unsupported
    }

    private struct Head: BitwiseCopyable {
        var version: UInt32
        var kind: UInt32
        var contentByteCount: UInt64
        var documentByteCount: UInt64
        var token: UInt64
    }

    let version: UInt32
    let kind: Kind
    /// The document, or a page of it.
    let content: [UInt8]
    /// The size of the whole document.
    let documentByteCount: Int
    /// The token for the other pages of the document; 0 if there are none.
    let token: UInt64

    /// Creates a message.
    ///
    /// - Parameter documentByteCount: The size of the document if `content` is only a page of it.
    init(
        _ kind: Kind, _ content: [UInt8], documentByteCount: Int? = nil, token: UInt64 = 0,
        version: UInt32 = currentVersion
    ) {
        self.version = version
        self.kind = kind
        self.content = content
        self.documentByteCount = documentByteCount ?? content.count
        self.token = token
    }

    /// Reads a message; `nil` if it is malformed. Every user may send any bytes.
    init?(_ bytes: UnsafeRawBufferPointer) {
        let headByteCount = MemoryLayout<Head>.size
        guard (headByteCount...ControlMessage.byteCountMax).contains(bytes.count) else { return nil }
        let head = bytes.loadUnaligned(as: Head.self)
        guard let kind = Kind(rawValue: head.kind), head.contentByteCount <= UInt64(bytes.count - headByteCount),
            let documentByteCount = Int(exactly: head.documentByteCount)
        else { return nil }
        let content = Array(bytes[headByteCount..<headByteCount + Int(head.contentByteCount)])
        self.init(kind, content, documentByteCount: documentByteCount, token: head.token, version: head.version)
    }

    /// The message as it is passed.
    var bytes: [UInt8] {
        let head = Head(
            version: version, kind: kind.rawValue, contentByteCount: UInt64(content.count),
            documentByteCount: UInt64(documentByteCount), token: token)
        return withUnsafeBytes(of: head) { Array($0) } + content
    }
}
