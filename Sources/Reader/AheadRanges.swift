/// Bytes to read ahead: one range, or several of equal length at a constant distance.
///
/// A collection that is computed, so that asking for it costs no memory. The distance is a fraction: the kernel asks in
/// pages, so that reads at every 1,000,000th byte begin at distances that differ by a page, and only their mean is right.
struct AheadRanges: RandomAccessCollection, Equatable {
    let startIndex = 0
    let endIndex: Int

    /// The range that the others are counted from.
    private let base: Range<Int>
    /// How many steps of the progression `endIndex` ranges begin after `base`.
    private let firstStep: Int
    /// As many bytes as `stepCount` steps go on; negative towards the object's beginning.
    private let byteCount: Int
    private let stepCount: Int
    private let objectByteCount: Int

    /// One range.
    init(_ range: Range<Int>) {
        base = range
        endIndex = 1
        firstStep = 0
        byteCount = 0
        stepCount = 1
        objectByteCount = range.upperBound
    }

    /// The ranges `steps` steps away from `base`, clipped to the object: what lies beyond it is empty.
    ///
    /// - Parameters:
    ///   - byteCount: How far `stepCount` steps go; negative towards the object's beginning.
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
    /// The number in `range` that is nearest.
    fileprivate func clamped(to range: ClosedRange<Int>) -> Int {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }

    /// The quotient, rounded towards minus infinity.
    func dividedDown(by divisor: Int) -> Int {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
