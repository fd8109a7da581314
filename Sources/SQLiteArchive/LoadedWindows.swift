import Namespace
import ObjectStore

/// The most recent windows: one for each of several walkers, or for each level of a walker that alternates between
/// levels.
struct LoadedWindows {
    /// The number of windows. It covers the levels that a walk in other than key order (`ls -R`) alternates between.
    private static let countLimit = 4
    /// The lifetime of a window, which is the delay until changes by other processes are visible.
    private static let lifetime: Duration = .seconds(1)
    /// The size of the first window, small because a process that reads one directory may be no walker. A window that
    /// was at least half used is followed by one four times its size.
    private static let smallestLimit = 8
    private static let largestLimit = 256

    /// The windows, most recently used last.
    private var windows: [LoadedWindow] = []

    /// Returns the windows' answer about the directory `prefix`.
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

    /// Returns the number of listings to read from `prefix` on.
    func limit(for prefix: Key) -> Int {
        // The walker's last window is the one that ends before this prefix.
        let before = windows.filter { $0.upper.map { $0 < prefix } ?? false }.max {
            $0.upper ?? .empty < $1.upper ?? .empty
        }
        guard let before, before.isUsed else { return LoadedWindows.smallestLimit }
        return min(before.limit * 4, LoadedWindows.largestLimit)
    }

    /// Adds a window, replacing the least recently used one.
    mutating func append(_ window: LoadedWindow) {
        if windows.count == LoadedWindows.countLimit { windows.removeFirst() }
        windows.append(window)
    }
}
