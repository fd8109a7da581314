import CommandOutput
import Testing

@Suite struct ProgressLineTests {
    @Test func `progress is one line, and leaves nothing behind`() {
        let written = Written()
        var line = ProgressLine(
            "checked", totalByteCount: 2 << 20, on: OverwrittenLine(delay: .zero) { written.texts.append($0) })
        line.erase()
        #expect(written.texts.isEmpty)
        line.add(1 << 20)
        line.add(1 << 20)
        #expect(written.texts.first == "\r\u{1b}[Kchecked 1.0MiB of 2.0MiB")
        line.erase()
        #expect(written.texts.last == "\r\u{1b}[K")
        let count = written.texts.count
        line.erase()
        #expect(written.texts.count == count)
    }

    @Test func `progress is not shown where nobody watches`() {
        var line = ProgressLine("checked", totalByteCount: 1, on: OverwrittenLine(delay: .zero, write: nil))
        line.add(1)
        line.erase()
    }

    private final class Written {
        var texts: [String] = []
    }
}
