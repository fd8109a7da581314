import SystemSupport
import Testing

@Suite("Text") struct TextTests {
    @Test func `A padded number has zeros in front, and is never cut`() {
        #expect(7.padded(to: 2) == "07")
        #expect(123.padded(to: 2) == "123")
        #expect(UInt64.max.padded(to: 16, radix: 16) == "ffffffffffffffff")
    }

    @Test func `Control and format characters are replaced`() {
        #expect("a\u{1B}[31m\u{202E}b\n".replacingControlCharacters(with: "?") == "a?[31m?b?")
    }

    @Test func `The partitioning index of a sorted array is the first index behind the limit`() {
        for count in 0..<20 {
            let numbers = Array(0..<count)
            for limit in -1...count {
                #expect(numbers.partitioningIndex { $0 > limit } == min(limit + 1, count))
            }
        }
    }
}
