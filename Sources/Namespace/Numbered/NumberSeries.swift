import ObjectStore
import SystemSupport

/// Names that are consecutive numbers: the same text before and after a number of always the same width, which goes up by
/// the same step from name to name, as in `img_000123.nii`.
struct NumberSeries: Equatable {
    /// What stands before the number, and behind it.
    private let head: [UInt8]
    private let tail: [UInt8]
    /// How many digits the number has.
    private let width: Int
    /// What the number goes up by.
    let step: Int
    /// The last number that was seen.
    let last: Int

    /// How many names are looked at: more than a hexadecimal number would take to show itself.
    static let sampleCount = 100
    /// Fewer names than this prove nothing.
    private static let sampleCountMin = 8
    /// So many digits fit in an `Int`; what stands before them is taken for text.
    private static let widthMax = 18
    /// At most one number in so many may be missing: a guess that counts on all of them tells of as many keys twice.
    private static let presentCountMin = 10

    /// The series that the last of these positions, which are in order, belong to; `nil` where they aren't consecutive
    /// numbers.
    init?(_ positions: [[UInt8]]) {
        let sample = positions.suffix(Self.sampleCount)
        guard sample.count >= Self.sampleCountMin, let first = sample.first, let last = sample.last,
            let digits = Self.digits(of: last, differingFrom: first)
        else { return nil }
        head = Array(last[..<digits.lowerBound])
        tail = Array(last[digits.upperBound...])
        width = digits.count
        var numbers: [Int] = []
        for position in sample {
            guard let number = Self.number(of: position, head: head, width: width, tail: tail) else { return nil }
            numbers.append(number)
        }
        let steps = zip(numbers, numbers.dropFirst()).map { $1 - $0 }
        guard let step = steps.min(), step > 0, steps.allSatisfy({ $0.isMultiple(of: step) }) else { return nil }
        let missingCount = (numbers[numbers.count - 1] - numbers[0]) / step - steps.count
        guard missingCount * Self.presentCountMin <= steps.count else { return nil }
        self.step = step
        self.last = numbers[numbers.count - 1]
    }

    /// Where the digits are that make the difference between two names of the same length.
    private static func digits(of name: [UInt8], differingFrom other: [UInt8]) -> Range<Int>? {
        guard name.count == other.count, let difference = name.indices.first(where: { name[$0] != other[$0] }),
            name[difference].isDigit
        else { return nil }
        let end = name[difference...].firstIndex { !$0.isDigit } ?? name.count
        let start = name[..<difference].lastIndex { !$0.isDigit }.map { $0 + 1 } ?? 0
        return max(start, end - widthMax)..<end
    }

    private static func number(of position: [UInt8], head: [UInt8], width: Int, tail: [UInt8]) -> Int? {
        guard position.count == head.count + width + tail.count, position.starts(with: head),
            position.suffix(tail.count).elementsEqual(tail)
        else { return nil }
        var number = 0
        for byte in position[head.count..<head.count + width] {
            guard byte.isDigit else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }

    /// The number in a position; `nil` for one that isn't of the series.
    func number(of position: [UInt8]) -> Int? {
        Self.number(of: position, head: head, width: width, tail: tail)
    }

    /// The position that has this number; `nil` where that takes more digits.
    func position(of number: Int) -> [UInt8]? {
        let digits = Array(String(number).utf8)
        guard number >= 0, digits.count <= width else { return nil }
        return head + Array(repeating: UInt8(ascii: "0"), count: width - digits.count) + digits + tail
    }
}
