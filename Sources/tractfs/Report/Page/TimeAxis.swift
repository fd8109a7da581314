import Glibc
import ObjectStore
import SystemSupport

/// The times of day along a chart.
struct TimeAxis {
    /// The start of the first step, and the length of all steps, in seconds.
    let start: Timestamp
    let seconds: Double

    /// Round units of time, in seconds.
    private static let steps = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800,
        604_800,
        1_209_600, 2_592_000, 7_776_000,
    ]

    /// Returns the marks at round times, in seconds since the start, with their labels.
    func ticks(countMax: Int) -> [(seconds: Double, label: String)] {
        let step = TimeAxis.steps.first { Double($0) * Double(countMax) >= seconds } ?? 31_536_000
        let first = (start.seconds + step - 1) / step * step
        // `countMax` limits the number while a mount is younger than that many years.
        return stride(from: first, through: start.seconds + Int(seconds), by: step).map { time in
            (Double(time - start.seconds), label(Timestamp(seconds: time), step: step))
        }
    }

    private func label(_ time: Timestamp, step: Int) -> String {
        // "2026-11-21T07:25:03Z"
        let text = time.utcText
        let (date, clock) = (String(text.prefix(10).dropFirst(5)), text.dropFirst(11))
        if step >= 86_400 { return date }
        if step < 60 { return String(clock.prefix(8)) }
        return seconds > 86_400 ? "\(date) \(clock.prefix(5))" : String(clock.prefix(5))
    }

    /// Returns the time of day of a moment, to the second.
    func clock(_ seconds: Double) -> String {
        let text = Timestamp(seconds: start.seconds + Int(seconds)).utcText
        return self.seconds > 86_400
            ? "\(text.prefix(10).dropFirst(5)) \(text.dropFirst(11).prefix(8))" : "\(text.dropFirst(11).prefix(8))"
    }
}
