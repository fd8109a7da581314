import Synchronization

/// A limit of so many bytes a second, kept by telling each sender when its next bytes may go.
final class Pace: Sendable {
    /// The number of bytes in a write, those of 50 ms, so that they come steadily and not in bursts.
    let chunkByteCount: Int
    private let bytesPerSecond: Int
    private let freeAt = Mutex(ContinuousClock.now)

    init(bytesPerSecond: Int) {
        self.bytesPerSecond = max(1, bytesPerSecond)
        chunkByteCount = max(1, bytesPerSecond / 20)
    }

    /// Takes the line for so many bytes.
    ///
    /// - Returns: How long from now until they have gone through, behind all for which it was taken before.
    func take(byteCount: Int) -> Duration {
        freeAt.withLock { freeAt in
            let now = ContinuousClock.now
            freeAt = max(freeAt, now) + .seconds(Double(byteCount) / Double(bytesPerSecond))
            return freeAt - now
        }
    }
}
