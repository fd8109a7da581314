import ObjectStore
import TestSupport
import Testing

@Suite("The order of keys") struct KeyOrderTests {
    @Test("Keys compare, hash and begin as their bytes do") func order() {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let (left, right) = (bytes(&generator), bytes(&generator))
            #expect((Key(left) < Key(right)) == left.lexicographicallyPrecedes(right))
            #expect((Key(left) == Key(right)) == (left == right))
            #expect(Key(left).hasPrefix(Key(right)) == left.starts(with: right))
            #expect(Set([Key(left), Key(right)]).count == Set([left, right]).count)
        }
    }

    /// Few and of few values, so that equal ones and beginnings of others come up; none, too.
    private func bytes(_ generator: inout SeededGenerator) -> [UInt8] {
        let values: [UInt8] = [0, 0x2f, 0x61, 0x7f, 0x80, 0xff]
        return (0..<Int.random(in: 0...4, using: &generator)).map { _ in
            values[Int.random(in: 0..<values.count, using: &generator)]
        }
    }
}
