/// The bytes to prefetch: one range, or several ranges of equal length at a constant distance.
///
/// A computed collection, so that it uses no memory. The distance is a fraction: the kernel requests whole pages, so
/// reads at every 1,000,000th byte begin at distances that differ by a page, and only their mean is exact.
struct AheadRanges: RandomAccessCollection, Equatable {
    let startIndex = 0
    let endIndex: Int

    /// The reference range of the progression.
    private let base: Range<Int>
    /// The number of steps from `base` to the first range.
    private let firstStep: Int
    /// The distance of `stepCount` steps, in bytes; negative towards the object's beginning.
    private let byteCount: Int
    private let stepCount: Int
    private let objectByteCount: Int

    /// Creates a single range.
    init(_ range: Range<Int>) {
        base = range
        endIndex = 1
        firstStep = 0
        byteCount = 0
        stepCount = 1
        objectByteCount = range.upperBound
    }

    /// Creates the ranges `steps` steps away from `base`, clipped to the object. A range beyond the object is empty.
    ///
    /// - Parameters:
    ///   - byteCount: The distance of `stepCount` steps; negative towards the object's beginning.
    init(_ steps: Range<Int>, from base: Range<Int>, byteCount: Int, stepCount: Int, objectByteCount: Int) {
        self.base = base
        endIndex = steps.count
        firstStep = steps.lowerBound
        self.byteCount = byteCount
        self.stepCount = stepCount
        self.objectByteCount = objectByteCount
    }

    subscript(position: Int) -> Range<Int> {
        let start = base.lowerBound + (byteCount * (firstStep + position)).dividedDown(by: stepCount)
        return start.clamped(to: 0...objectByteCount)..<(start + base.count).clamped(to: 0...objectByteCount)
    }
}

extension Int {
    /// Returns the nearest number in `range`.
    fileprivate func clamped(to range: ClosedRange<Int>) -> Int {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }

    /// Returns the quotient, rounded towards minus infinity.
    func dividedDown(by divisor: Int) -> Int {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
