import FileSystem
import ObjectStore
import SystemSupport

/// What `tractfs presign` prints: a URL a line, or an array in JSON. Written piece by piece, however many files there are.
struct PresignOutput {
    private static let pieceByteCount = 16 << 10

    private let isJSON: Bool
    private var pending = ""
    /// Whether nothing was added.
    private(set) var isEmpty = true

    init(inJSON isJSON: Bool) {
        self.isJSON = isJSON
    }

    mutating func add(_ file: PresignedFile) throws(Failure) {
        pending += isJSON ? "\(isEmpty ? "[" : ",")\n\(Self.object(file))" : "\(file.url.text)\n"
        isEmpty = false
        if pending.utf8.count >= Self.pieceByteCount { try flush() }
    }

    /// All files were added. Where that is not so an array is left open, so that nobody takes it for the whole.
    mutating func finish() throws(Failure) {
        if isJSON { pending += isEmpty ? "[]\n" : "\n]\n" }
        try flush()
    }

    private mutating func flush() throws(Failure) {
        try StandardOutput.write(pending)
        pending = ""
    }

    private static func object(_ file: PresignedFile) -> JSONObject {
        [
            "key": .string(String(decoding: file.key.bytes, as: UTF8.self)),
            "size": file.byteCount.map { .number($0) } ?? .null, "url": .string(file.url.text),
            "expires": file.url.expiry.map { .string($0.utcText) } ?? .null,
        ]
    }
}
