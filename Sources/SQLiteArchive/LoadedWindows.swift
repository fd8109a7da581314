import Namespace
import ObjectStore

/// The windows that were read last, one for each of some walkers, or for each level of one that takes turns.
struct LoadedWindows {
    /// As many as a walk in another order than that of keys (`ls -R`) goes back and forth between.
    private static let countLimit = 4
    /// How long a window is good: what is written or forgotten by others meanwhile is seen so much later.
    private static let lifetime: Duration = .seconds(1)
    /// The first window has so many listings, because whoever looks at one directory may be no walker; one that was used to
    /// a half is followed by one four times as long.
    private static let smallestLimit = 8
    private static let largestLimit = 256

    /// The one that was used last comes last.
    private var windows: [LoadedWindow] = []

    /// What the windows say of the directory `prefix`.
    mutating func take(_ prefix: Key, forgetCount: UInt64, now: ContinuousClock.Instant) -> LoadedWindow.Answer {
        windows.removeAll { $0.forgetCount != forgetCount || now - $0.loadedAt > LoadedWindows.lifetime }
        for index in windows.indices.reversed() {
            let answer = windows[index].take(prefix)
            if case .unknown = answer { continue }
            windows.append(windows.remove(at: index))
            return answer
        }
        return .unknown
    }

    /// How many listings to read from `prefix` on.
    func limit(for prefix: Key) -> Int {
        // The walker's last window is the one that ends before this prefix.
        let before = windows.filter { $0.upper.map { $0 < prefix } ?? false }.max {
            $0.upper ?? .empty < $1.upper ?? .empty
        }
        guard let before, before.isUsed else { return LoadedWindows.smallestLimit }
        return min(before.limit * 4, LoadedWindows.largestLimit)
    }

    /// Keeps a window, in place of the one that was not used for longest.
    mutating func append(_ window: LoadedWindow) {
        if windows.count == LoadedWindows.countLimit { windows.removeFirst() }
        windows.append(window)
    }
}
