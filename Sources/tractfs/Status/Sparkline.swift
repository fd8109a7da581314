/// The last values of something, as a row of bars.
struct Sparkline {
    private static let bars = Array("▁▂▃▄▅▆▇█")

    private let width: Int
    private var values: [Double] = []

    /// A row of so many bars.
    init(width: Int) {
        self.width = width
    }

    /// Adds the next value, at the right; what doesn't fit any more goes.
    mutating func append(_ value: Double) {
        values = values.suffix(width - 1) + [value]
    }

    /// The bars, as high as the values are against the largest one that is shown; where there is none yet, blanks.
    var text: String {
        let largest = values.max() ?? 0
        let bars = values.map { value in
            let level = largest > 0 ? (value / largest * Double(Sparkline.bars.count - 1)).rounded(.up) : 0
            return Sparkline.bars[min(max(Int(level), 0), Sparkline.bars.count - 1)]
        }
        return String(repeating: " ", count: width - bars.count) + String(bars)
    }
}
