/// The values along the vertical axis of a chart, from 0 on.
struct ValueScale {
    /// The highest value.
    let top: Double
    /// The positions of the lines, from 0 on, and their labels.
    let ticks: [(value: Double, label: String)]
    /// The measured quantity and its unit.
    let title: String

    /// Creates a scale with these lines.
    init(top: Double, ticks: [(value: Double, label: String)], title: String) {
        (self.top, self.ticks, self.title) = (top, ticks, title)
    }

    private init(top: Double, step: Double, unit: Double, title: String) {
        self.top = top
        self.title = title
        let digitCount = step / unit >= 1 ? 0 : step / unit >= 0.1 ? 1 : step / unit >= 0.01 ? 2 : 3
        ticks = stride(from: 0, through: top + step / 2, by: step).map { value in
            (value, digitCount == 0 ? Readable.count(Int(value / unit)) : Decimals.text(value / unit, digitCount))
        }
    }

    /// Creates a scale up to `largest` or slightly more, in a unit of `unit`.
    private init(upTo largest: Double, unit: Double, title: String) {
        let step = ValueScale.step(largest / unit) * unit
        self.init(top: max((largest / step).rounded(.up), 1) * step, step: step, unit: unit, title: title)
    }

    /// Returns 1, 2 or 5 times a power of ten, so that three to six steps reach the value.
    private static func step(_ largest: Double) -> Double {
        var power = 0.001
        while power * 50 < largest { power *= 10 }
        let steps = [power, power * 2, power * 5, power * 10]
        return steps.first { $0 * 5 >= largest } ?? power * 10
    }

    private static func byteUnit(_ largest: Double) -> (Double, String) {
        let units = [(1.0, "B"), (1_024.0, "KiB"), (1_048_576.0, "MiB"), (1_073_741_824.0, "GiB")]
        return units.last { largest >= $0.0 } ?? units[0]
    }

    static func bytesPerSecond(_ largest: Double) -> ValueScale {
        let (unit, name) = byteUnit(largest)
        return ValueScale(upTo: largest, unit: unit, title: "\(name)/s")
    }

    static func bytes(_ largest: Double) -> ValueScale {
        let (unit, name) = byteUnit(largest)
        return ValueScale(upTo: largest, unit: unit, title: name)
    }

    static func number(_ largest: Double, _ title: String) -> ValueScale {
        ValueScale(upTo: largest, unit: 1, title: title)
    }

    static let percent = ValueScale(top: 100, step: 25, unit: 1, title: "%")
}
