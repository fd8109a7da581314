import Logging
import ObjectStore
import Synchronization
import Testing
import TestSupport

@testable import Namespace

@Suite("Numbered names") struct NumberedNamesTests {
    @Test(
        "names with consecutive numbers of one width are a series",
        arguments: [
            (names(0..<20) { "img_\(padded($0, 6)).nii" }, 1_000, "img_001000.nii"),
            (names(0..<20) { "img_\(padded($0, 6)).nii" }, 1_000_000, nil),
            (names(95..<120) { "\(padded($0, 3))" }, 999, "999"),
            (names(10..<20) { "sub-\($0 * 5)/" }, 95, "sub-95/"),
            (names(0..<20) { "2024-07-\(padded($0, 4))_run2" }, 77, "2024-07-0077_run2"),
            (names(0..<40) { "f\(padded($0 == 7 ? 6 : $0, 3))" }.removingDuplicates(), 50, "f050"),
            (
                names(0..<20) { "12345678901234567890\(padded($0, 3))" }, 678_901_234_567_890_050,
                "12345678901234567890050"
            ),
        ] as [([[UInt8]], Int, String?)])
    func series(names: [[UInt8]], number: Int, expected: String?) throws {
        let series = try #require(NumberSeries(names))
        #expect(series.sortKey(of: number).map { String(decoding: $0, as: UTF8.self) } == expected)
        #expect(series.last == series.number(of: try #require(names.last)))
        #expect(series.sortKey(of: series.last) == names.last)
    }

    @Test(
        "names without consecutive numbers of one width are no series",
        arguments: [
            [], names(0..<5) { "img\($0)" }, names(95..<105) { "img\($0)" }, names(5..<40) { "img\($0)" },
            names(0..<100) { "img" + String(4_096 + $0, radix: 16) },
            names(0..<100) { "img" + String(0x1_0000 + $0, radix: 16) + ".nii" },
            names(0..<20) { "img\(padded($0 * $0, 4))" }, names(0..<20) { "run\(padded($0, 3))_\(padded($0, 3))" },
            names(0..<40) { "f\(padded($0 / 2, 3)).\($0 % 2 == 0 ? "json" : "nii.gz")" },
            names(0..<20) { "a\(padded($0, 2))" } + names(0..<20) { "b\(padded($0, 2))" },
        ] as [[[UInt8]]])
    func others(names: [[UInt8]]) {
        #expect(NumberSeries(names) == nil)
    }

    @Test func `a folder with numbered names is listed in parallel, with few requests more than it has pages`() throws {
        var contents = StoreContents()
        for number in 0..<100_000 { contents.put(Key("run/img_\(padded(number, 6)).nii"), .text("x")) }
        let store = InMemoryStore(delivery: .inline)
        store.change { $0 = contents }
        store.hold()
        let reader = StreamingReader(on: store, "run/")
        reader.start()
        var roundCount = 0
        while !store.waiting.isEmpty {
            roundCount += 1
            for request in store.waiting { request.release() }
        }
        #expect(reader.names.count == 100_000)
        #expect(reader.isOver)
        #expect(store.listRequests.count <= 100 * 11 / 10 + 32)
        #expect(roundCount <= 20, "too many requests in a row")
    }

    @Test func `prefetches of numbered names end when the reader stops`() throws {
        var contents = StoreContents()
        for number in 0..<20_000 { contents.put(Key("run/img_\(padded(number, 6)).nii"), .text("x")) }
        let store = InMemoryStore(pageLimit: 50, delivery: .inline)
        store.change { $0 = contents }
        let reader = StreamingReader(on: store, "run/", stoppingAt: 5_000)
        reader.start()
        let pageCount = reader.names.count / 50
        #expect(pageCount >= 100)
        #expect(store.listRequests.count <= pageCount + pageCount / 10 + 34)
    }

    @Test(
        "listings of folders with any series of numbers agree with the keys, and few requests are useless",
        arguments: 0..<120)
    func oddSeries(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let keys = oddSeries(using: &random)
        let pageLimit = Int.random(in: 1...40, using: &random)
        let store = InMemoryStore(pageLimit: pageLimit, delivery: .inline)
        store.change { contents in contents.put(Dictionary(uniqueKeysWithValues: keys.map { ($0, .text("x")) })) }
        store.hold()
        let reader = StreamingReader(on: store, "run/")
        reader.start()
        while let request = store.waiting.randomElement(using: &random) {
            if Int.random(in: 0..<100, using: &random) == 0, request.listRequest?.startAfter != nil {
                request.fail(with: StoreError(.serverFault, "no"))
            } else {
                request.release()
            }
        }
        let expected = TreeModel(keys: keys).entries(of: "run/")
        #expect(reader.isOver, "seed \(seed)")
        #expect(reader.names.count == expected.count, "seed \(seed)")
        #expect(Set(reader.names) == Set(expected.keys), "seed \(seed)")
        let pageCount = expected.count / pageLimit + 1
        // Own pages of the directory may overlap with prefetched ones, once for each series.
        #expect(store.listRequests.count <= pageCount * 12 / 10 + 64, "\(pageCount) pages, seed \(seed)")
    }

    /// Returns several series in a row, of any width, with gaps, steps, growing numbers, hexadecimal ones,
    /// subdirectories and other names.
    private func oddSeries(using random: inout SeededGenerator) -> [Key] {
        var names: Set<String> = ["README", "run/x"]
        for head in ["", "a", "b_", "b_1", "z-"].shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random))
        {
            let width = Int.random(in: 0...6, using: &random)
            let tail = ["", ".nii", "/f", "_1"].randomElement(using: &random) ?? ""
            let step = [1, 1, 1, 2, 10].randomElement(using: &random) ?? 1
            let radix = Int.random(in: 0..<6, using: &random) == 0 ? 16 : 10
            let missing = [0, 0, 3, 10, 50].randomElement(using: &random) ?? 0
            for number in 0..<Int.random(in: 1...1_500, using: &random)
            where Int.random(in: 0..<100, using: &random) >= missing {
                names.insert(head + padded(number * step, width, radix: radix) + tail)
            }
        }
        return names.map { Key("run/" + $0) }.sorted()
    }
}

/// A reader that reads a directory up to an entry or to its end, and repeats failed requests.
private final class StreamingReader: Sendable {
    private struct State {
        var names: [[UInt8]] = []
        var isOver = false
    }

    private let directory: OpenDirectory
    private let limit: Int
    private let state = Mutex(State())

    init(on store: InMemoryStore, _ prefix: Key, stoppingAt limit: Int = .max) {
        self.limit = limit
        let namespace = Namespace(
            store: store, root: "", timeToLive: .forever, requestTimeout: .seconds(10), metadataByteLimit: 64 << 20,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        directory = namespace.openDirectory(Inode(id: .root, key: prefix, kind: .directory))
    }

    var names: [[UInt8]] { state.withLock { $0.names } }
    var isOver: Bool { state.withLock { $0.isOver } }

    func start() {
        let index = state.withLock { $0.names.count }
        directory.entries(from: index, isRestart: index == 0) { [self] result in
            switch result {
            case .failure: start()
            case .success(let slice): if take(slice) { start() }
            }
        }
    }

    /// Adds the entries. Returns `true` to read on.
    private func take(_ slice: DirectorySlice) -> Bool {
        state.withLock { state in
            for index in 0..<slice.count { state.names.append(slice[index].entry.name.bytes) }
            state.isOver = slice.count == 0
            return !state.isOver && state.names.count < limit
        }
    }
}

private func names(_ numbers: Range<Int>, _ name: (Int) -> String) -> [[UInt8]] {
    numbers.map { Array(name($0).utf8) }
}

/// Returns a number with leading zeros up to a width.
private func padded(_ number: Int, _ width: Int, radix: Int = 10) -> String {
    let digits = String(number, radix: radix)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

extension [[UInt8]] {
    fileprivate func removingDuplicates() -> [[UInt8]] {
        enumerated().filter { $0.offset == 0 || self[$0.offset - 1] != $0.element }.map(\.element)
    }
}
