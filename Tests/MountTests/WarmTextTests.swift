import BlockCache
import CommandOutput
import SystemSupport
import Testing

@testable import tractfs

/// The wording of the messages of `tractfs warm`.
@Suite struct WarmTextTests {
    private final class Written {
        var texts: [String] = []
    }

    private static func file(_ name: String, byteCount: Int, cached: Int = 0, isKept: Bool = false) -> WantedFile {
        WantedFile(
            shownPath: "/m/" + name, root: 0, folder: [], name: Array(name.utf8), version: 1, byteCount: byteCount,
            allocatedByteCount: byteCount, cachedByteCount: cached, isKept: isKept)
    }

    private static func plan(
        _ files: [WantedFile], keeps: Bool = false, kept: Int = 0, limit: Int = 100 << 30
    ) -> WarmPlan {
        var wanted = WantedFiles()
        for file in files { wanted.add(file) }
        let room = DiskCache.Room(
            byteLimit: limit, fillableByteCount: limit / 100 * 90, pinnableByteCount: limit / 100 * 80,
            pinnedByteCount: kept)
        return WarmPlan(wanted: wanted, room: room, keeps: keeps)
    }

    @Test(arguments: [
        (0.0, "0s"), (59.4, "59s"), (60, "1m 0s"), (3_599, "59m 59s"), (3_600, "1h 0m"), (90_000, "1d 1h"),
        (-1, "0s"), (.infinity, "999d 0h"),
    ])
    func `a time has two units at the most`(seconds: Double, text: String) {
        #expect(WarmText.time(seconds) == text)
    }

    @Test func `a bar is as long as it is to be`() {
        #expect(WarmText.bar(0, width: 6) == "[    ]")
        #expect(WarmText.bar(0.5, width: 6) == "[##  ]")
        #expect(WarmText.bar(2, width: 6) == "[####]")
        #expect(WarmText.bar(0.99, width: 6) == "[### ]")
    }

    @Test func `what there is to do is told with what the cache can hold`() {
        let files = [Self.file("a", byteCount: 60 << 30, cached: 20 << 30), Self.file("b", byteCount: 0)]
        let plan = Self.plan(files)
        #expect(
            plan.description
                == "2 files, 60GiB: 20GiB are in the cache, 40GiB to fetch; the cache can hold 90GiB")
        #expect(plan.refusal == nil)
        let there = Self.plan([Self.file("a", byteCount: 5, cached: 5)])
        #expect(there.description == "1 file, 5B: all in the cache; the cache can hold 90GiB")
    }

    @Test func `what doesn't fit is refused, with what to do`() {
        let big = [Self.file("a", byteCount: 95 << 30)]
        #expect(
            Self.plan(big).refusal?.description
                == "95GiB don't fit into the cache: it can hold 90GiB of its 100GiB; mount with --cache-size 129GiB, "
                + "or choose less with --include and --exclude")
        let kept = Self.plan([Self.file("a", byteCount: 50 << 30)], keeps: true, kept: 40 << 30)
        #expect(
            kept.refusal?.description
                == "50GiB don't fit into the cache: it can keep 40GiB of its 100GiB, beside 40GiB that are kept; "
                + "mount with --cache-size 135GiB, or choose less with --include and --exclude, or release some")
        // What is kept already isn't counted twice.
        let again = [Self.file("a", byteCount: 50 << 30, isKept: true)]
        #expect(Self.plan(again, keeps: true, kept: 50 << 30).refusal == nil)
    }

    @Test func `progress has a bar, bytes, a rate, the time left and the file, and is as wide as the terminal`() {
        let start = ContinuousClock.now
        let written = Written()
        var progress = FetchProgress(
            totalByteCount: 10 << 30, on: ProgressLine(onTerminal: { written.texts.append($0) }, now: start), now: start
        )
        var counts = FetchRun.Counts()
        counts.doneByteCount = 4 << 30
        counts.current = "/m/100307/T1w/\u{1b}[2J.nii"
        progress.show(counts, at: start + .seconds(4))
        let line = progress.line(counts, at: start + .seconds(4), width: 120)
        #expect(line == "[########            ] 40%, 4.0GiB of 10GiB, 1.0GiB/s, 6s left, /m/100307/T1w/[2J.nii")
        #expect(progress.line(counts, at: start + .seconds(4), width: 30).count == 30)
        #expect(written.texts.count == 1)
        counts.fetchedByteCount = 4 << 30
        #expect(progress.summary(counts, at: start + .seconds(8)) == "4.0GiB fetched in 8s, 512MiB/s")
        #expect(progress.summary(FetchRun.Counts(), at: start) == "nothing to fetch")
    }

    @Test func `where nobody watches there is a line every half minute, with the rate of late`() {
        let start = ContinuousClock.now
        let written = Written()
        var progress = FetchProgress(
            totalByteCount: 100 << 20, on: ProgressLine(asLines: { written.texts.append($0) }, now: start), now: start)
        var counts = FetchRun.Counts()
        for second in 0...60 {
            // Fast for half a minute, then slow.
            counts.doneByteCount = (second <= 30 ? 2 * second : 30 + second) << 20
            progress.show(counts, at: start + .seconds(second))
        }
        #expect(
            written.texts == [
                "60%, 60MiB of 100MiB, 2.0MiB/s, 20s left", "90%, 90MiB of 100MiB, 1.0MiB/s, 10s left",
            ])
    }

    @Test func `pieces are handed out once, and a file is gone through again if some of it is lost`() {
        let files = [
            Self.file("a", byteCount: 20), Self.file("b", byteCount: 5, cached: 5), Self.file("c", byteCount: 3),
        ]
        let options = FetchRun.Options(parallelCount: 2, verifies: false, keeps: false)
        var state = FetchRun.State(files, options, pieceByteCount: 8)
        var pieces = Self.pieces(&state)
        #expect(pieces.map(\.file) == [0, 0, 0, 2])
        #expect(pieces.map(\.range) == [0..<8, 8..<16, 16..<20, 0..<3])
        var areLast = [0, 1, 3, 2].map { state.end(pieces[$0]) }
        #expect(areLast == [false, false, true, true])
        state.close(2)
        // Twice more, and no longer.
        for _ in 0..<2 {
            let isTriedAgain = state.again(0)
            #expect(isTriedAgain)
            state.close(0)
            pieces = Self.pieces(&state)
            areLast = pieces.map { state.end($0) }
            #expect(areLast == [false, false, true])
        }
        let isTriedAgain = state.again(0)
        #expect(!isTriedAgain)
        state.fail(pieces[2], Failure("lost"), isFatal: false)
        #expect(Self.pieces(&state).isEmpty)
        #expect(state.counts.isOver && state.counts.failedFileCount == 1)
        let failures = state.takeFailures().map(\.description)
        #expect(failures == ["lost"])
    }

    /// The pieces that there are to begin now.
    private static func pieces(_ state: inout FetchRun.State) -> [FetchRun.State.Piece] {
        var pieces: [FetchRun.State.Piece] = []
        while case .piece(let piece) = state.next() { pieces.append(piece) }
        return pieces
    }

    @Test func `the rest of a file that failed isn't asked for, and nothing after what befalls all`() throws {
        let files = (0..<3).map { Self.file("\($0)", byteCount: 20) }
        let options = FetchRun.Options(parallelCount: 2, verifies: true, keeps: true)
        var state = FetchRun.State(files, options, pieceByteCount: 8)
        func next() throws -> FetchRun.State.Piece {
            guard case .piece(let piece) = state.next() else { throw Failure("there is nothing to do") }
            return piece
        }
        let (first, second) = (try next(), try next())
        state.fail(first, Failure("one"), isFatal: false)
        state.fail(second, Failure("the same"), isFatal: false)
        let other = try next()
        #expect(other.file == 1)
        state.fail(other, Failure("two"), isFatal: true)
        #expect(Self.pieces(&state).isEmpty)
        let failures = state.takeFailures().map(\.description)
        #expect(failures == ["one", "two"])
        #expect(state.counts.isOver && state.counts.failedFileCount == 2)
    }
}
