import CommandOutput
import Testing

@Suite struct ProgressLineTests {
    @Test func `progress on a terminal is one line, which is cleared`() {
        let written = Written()
        let start = ContinuousClock.now
        var line = ProgressLine(onTerminal: { written.texts.append($0) }, now: start)
        line.show(at: start) { _ in "early" }
        line.erase()
        #expect(written.texts.isEmpty)
        line.show(at: start + .seconds(1)) { $0 == nil ? "no terminal" : "1" }
        line.show(at: start + .seconds(1.1)) { _ in "too soon" }
        line.show(at: start + .seconds(1.25)) { _ in "2" }
        line.erase()
        line.erase()
        #expect(written.texts == ["\r\u{1b}[K1", "\r\u{1b}[K2", "\r\u{1b}[K"])
    }

    @Test func `progress without a terminal is a line every half minute, or nothing`() {
        let written = Written()
        let start = ContinuousClock.now
        var line = ProgressLine(asLines: { written.texts.append($0) }, now: start)
        for second in 0...60 { line.show(at: start + .seconds(second)) { $0 == nil ? "\(second)" : "a terminal" } }
        line.erase()
        #expect(written.texts == ["30", "60"])
        var silent = ProgressLine(asLines: nil, now: start)
        silent.show(at: start + .seconds(60)) { _ in fatalError("a text is wanted") }
    }

    private final class Written {
        var texts: [String] = []
    }
}
