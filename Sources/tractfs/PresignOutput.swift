import CommandOutput
import FileSystem
import ObjectStore
import SystemSupport

/// The output of `tractfs presign`: one URL per line, or a JSON array. It is written in pieces, since there may be many
/// files.
struct PresignOutput {
    private static let pieceByteCount = 16 << 10

    private let isJSON: Bool
    private var pending = ""
    /// `true` if nothing was added.
    private(set) var isEmpty = true

    init(inJSON isJSON: Bool) {
        self.isJSON = isJSON
    }

    mutating func add(_ file: PresignedFile) throws(Failure) {
        pending += isJSON ? "\(isEmpty ? "[" : ",")\n\(Self.object(file))" : "\(file.url.text)\n"
        isEmpty = false
        if pending.utf8.count >= Self.pieceByteCount { try flush() }
    }

    /// Completes the output. After a failure it isn't called: an array that stays open can't be taken for a complete
    /// one.
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
