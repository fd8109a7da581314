import ObjectStore
import SystemSupport

/// Counts and lines of `tractfs warm` in words.
enum WarmText {
    /// Returns a count such as "1 file" or "13794 files".
    static func files(_ count: Int) -> String { count == 1 ? "1 file" : "\(count) files" }

    /// Returns a duration such as "45s", "12m 30s", "3h 10m" or "2d 4h".
    static func time(_ seconds: Double) -> String {
        // A longer time is no forecast.
        let seconds = Int(min(max(seconds, 0), 999 * 86_400).rounded())
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60)
        if days > 0 { return "\(days)d \(hours)h" }
        if hours > 0 { return "\(hours)h \(minutes)m" }
        return minutes > 0 ? "\(minutes)m \(seconds % 60)s" : "\(seconds)s"
    }

    /// Returns a bar such as "[######        ]" of so many characters.
    static func bar(_ part: Double, width: Int) -> String {
        let room = max(width - 2, 0)
        let full = Int((min(max(part, 0), 1) * Double(room)).rounded(.down))
        return "[" + String(repeating: "#", count: full) + String(repeating: " ", count: room - full) + "]"
    }

    /// Returns the part of a line that fits, without terminal control characters.
    static func fitting(_ line: String, width: Int) -> String {
        let visible = line.replacingControlCharacters(with: "")
        return visible.count <= width ? visible : visible.prefix(max(width - 1, 0)) + "…"
    }
}
