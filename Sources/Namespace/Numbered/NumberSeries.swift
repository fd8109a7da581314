import ObjectStore
import SystemSupport

/// Names with consecutive numbers: the same text before and behind a number of constant width, which grows by the same
/// step from name to name, as in `img_000123.nii`.
struct NumberSeries: Equatable {
    /// The texts before and behind the number.
    private let head: [UInt8]
    private let tail: [UInt8]
    /// The number of digits.
    private let width: Int
    /// The difference between consecutive numbers.
    let step: Int
    /// The last number of the sample.
    let last: Int

    /// The number of names to examine: enough to recognize hexadecimal numbers.
    static let sampleCount = 100
    /// Fewer names than these don't make a series.
    private static let sampleCountMin = 8
    /// The number of digits that fit in an `Int`. Digits before these count as text.
    private static let widthMax = 18
    /// At most one number in this many may be missing: a guess that assumes all of them requests that many keys twice.
    private static let presentCountMin = 10

    /// The series that the last of these sort keys, which are in order, belong to; `nil` if they aren't consecutive
    /// numbers.
    init?(_ sortKeys: [[UInt8]]) {
        let sample = sortKeys.suffix(Self.sampleCount)
        guard sample.count >= Self.sampleCountMin, let first = sample.first, let last = sample.last,
            let digits = Self.digits(of: last, differingFrom: first)
        else { return nil }
        head = Array(last[..<digits.lowerBound])
        tail = Array(last[digits.upperBound...])
        width = digits.count
        var numbers: [Int] = []
        for sortKey in sample {
            guard let number = Self.number(of: sortKey, head: head, width: width, tail: tail) else { return nil }
            numbers.append(number)
        }
        let steps = zip(numbers, numbers.dropFirst()).map { $1 - $0 }
        guard let step = steps.min(), step > 0, steps.allSatisfy({ $0.isMultiple(of: step) }) else { return nil }
        let missingCount = (numbers[numbers.count - 1] - numbers[0]) / step - steps.count
        guard missingCount * Self.presentCountMin <= steps.count else { return nil }
        self.step = step
        self.last = numbers[numbers.count - 1]
    }

    /// Returns the range of the digits in which two names of the same length differ.
    private static func digits(of name: [UInt8], differingFrom other: [UInt8]) -> Range<Int>? {
        guard name.count == other.count, let difference = name.indices.first(where: { name[$0] != other[$0] }),
            name[difference].isDigit
        else { return nil }
        let end = name[difference...].firstIndex { !$0.isDigit } ?? name.count
        let start = name[..<difference].lastIndex { !$0.isDigit }.map { $0 + 1 } ?? 0
        return max(start, end - widthMax)..<end
    }

    private static func number(of sortKey: [UInt8], head: [UInt8], width: Int, tail: [UInt8]) -> Int? {
        guard sortKey.count == head.count + width + tail.count, sortKey.starts(with: head),
            sortKey.suffix(tail.count).elementsEqual(tail)
        else { return nil }
        var number = 0
        for byte in sortKey[head.count..<head.count + width] {
            guard byte.isDigit else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }

    /// Returns the number in a sort key; `nil` for one that doesn't belong to the series.
    func number(of sortKey: [UInt8]) -> Int? {
        Self.number(of: sortKey, head: head, width: width, tail: tail)
    }

    /// Returns the sort key with this number; `nil` if the number has more digits.
    func sortKey(of number: Int) -> [UInt8]? {
        let digits = Array(String(number).utf8)
        guard number >= 0, digits.count <= width else { return nil }
        return head + Array(repeating: UInt8(ascii: "0"), count: width - digits.count) + digits + tail
    }
}
