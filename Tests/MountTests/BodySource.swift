import TestSupport

/// Random bytes in as many objects as a test needs. They are slices of one array at random offsets, so that different
/// objects cost nothing.
struct BodySource {
    private static let pool = Result { try ObjectBody.random(byteCount: 64 << 20) }
    private var generator: SeededGenerator

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    /// Another body of this size.
    mutating func body(byteCount: Int) throws -> ObjectBody {
        let pool = try Self.pool.get()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        while bytes.count < byteCount {
            let start = Int.random(in: 0..<pool.byteCount / 2, using: &generator)
            bytes += pool.bytes(in: start..<start + min(byteCount - bytes.count, pool.byteCount / 2))
        }
        return .bytes(bytes)
    }
}
