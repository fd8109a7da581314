import StateLog
import Testing
import TestSupport

@testable import FileSystem

/// Inode numbers below 2^32 instead of longer ones.
struct ShortNumberTests {
    @Test func `a name keeps its short inode number, and no two names share one`() {
        let seed = UInt64.random(in: 0 ... .max)
        print("ShortNumberTests: seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        // The upper half is 0, so that the short number is the lower half, which has few values.
        let names = (0..<50_000).map { _ in UInt64.random(in: 0..<40_000, using: &generator) << 32 | 7 }
        var table = ShortNumberTable()
        var numbers: [UInt64: UInt32] = [:]
        for name in names + names.reversed() {
            let number = table.short(for: name).number
            #expect(numbers.updateValue(number, forKey: name) ?? number == number)
        }
        #expect(Set(numbers.values).count == numbers.count)
        #expect(numbers.values.allSatisfy { $0 >= 2 })
    }

    @Test func `names with one hash have different short numbers, and only the moved one is logged`() {
        var table = ShortNumberTable()
        #expect(table.short(for: 5) == (5, false))
        // The exclusive or of the halves is 5.
        let (second, third): (UInt64, UInt64) = (1 << 32 | 4, 2 << 32 | 7)
        #expect(table.short(for: second) == (6, true))
        #expect(table.short(for: third) == (7, true))
        #expect(table.short(for: 6) == (8, true), "its own number is taken by a moved one")
        #expect(table.short(for: second) == (6, false))
        #expect(table.short(for: 5) == (5, false))
        #expect(table.moved == [second: 6, third: 7, 6: 8])
    }

    @Test func `the first short numbers follow the last one`() {
        var table = ShortNumberTable()
        let last = UInt64(UInt32.max)
        #expect(table.short(for: last).number == .max)
        #expect(table.short(for: 1 << 32 | (last ^ 1)).number == 2)
        #expect(table.short(for: 0).number == 3)
        #expect(table.short(for: 1).number == 4)
    }

    @Test func `known and moved short numbers stay when others are dropped`() {
        var table = ShortNumberTable()
        let names: [UInt64] = [5, 1 << 32 | 4, 100, 101]
        let before = names.map { table.short(for: $0).number }
        table.forget(allBut: [5, 100])
        #expect(table.count == 3)
        #expect(names.map { table.short(for: $0).number } == before)
    }

    @Test func `the next process shows the same short numbers, in any order of requests`() {
        var table = ShortNumberTable()
        let names: [UInt64] = [5, 1 << 32 | 4, 6, 200]
        let before = names.map { table.short(for: $0).number }
        var successor = ShortNumberTable()
        for (long, number) in table.moved { successor.restore(number, for: long) }
        #expect(names.reversed().map { successor.short(for: $0).number } == before.reversed())
    }
}
