/// The recent values of a rate, as a row of bars.
struct Sparkline {
    private static let bars = Array("▁▂▃▄▅▆▇█")

    private let width: Int
    private var values: [Double] = []

    /// Creates a row of `width` bars.
    init(width: Int) {
        self.width = width
    }

    /// Adds the next value at the right, and drops the oldest one if the row is full.
    mutating func append(_ value: Double) {
        values = values.suffix(width - 1) + [value]
    }

    /// The bars, scaled to the largest value shown; blanks for missing values.
    var text: String {
        let largest = values.max() ?? 0
        let bars = values.map { value in
            let level = largest > 0 ? (value / largest * Double(Sparkline.bars.count - 1)).rounded(.up) : 0
            return Sparkline.bars[min(max(Int(level), 0), Sparkline.bars.count - 1)]
        }
        return String(repeating: " ", count: width - bars.count) + String(bars)
    }
}
