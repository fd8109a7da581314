import ObjectStore
import SystemSupport
import TestSupport
import Testing

@testable import tractfs

/// What a page is made of.
@Suite("The form of a report") struct ReportFormTests {
    @Test func `what is put into markup is escaped, unless it is markup`() {
        let name = "<script>alert('1')</script> & \"x\"\u{1B}[2J\u{202E}\n\u{FFFE}\u{85}é"
        let markup: Markup = "<p title=\"\(name)\">\(name)</p>"
        let escaped =
            "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;x&quot;\\u{1B}[2J\\u{202E}\\n\\u{FFFE}\\u{0085}é"
        #expect(markup.text == "<p title=\"\(escaped)\">\(escaped)</p>")
        let outer: Markup = "<div>\(markup)\(12)\(1.25)</div>"
        #expect(outer.text == "<div>\(markup.text)121.3</div>")
    }

    @Test(arguments: [
        (Readable.bytes(0), "0 B"), (Readable.bytes(1_288_490_189), "1.2 GiB"), (Readable.count(0), "0"),
        (Readable.count(999), "999"), (Readable.count(1_000), "1,000"), (Readable.count(12_345_678), "12,345,678"),
        (Readable.count(1, "file"), "1 file"), (Readable.count(1_234, "file"), "1,234 files"),
        (Readable.duration(0.2), "less than a second"), (Readable.duration(45), "45 s"),
        (Readable.duration(192), "3 min 12 s"), (Readable.duration(11_520), "3 h 12 min"),
        (Readable.duration(270_000), "3 d 3 h"), (Readable.latency(0.0034), "3.4 ms"),
        (Readable.latency(0.12), "120 ms"),
        (Readable.latency(1.25), "1.3 s"), (Readable.dollars(0), "$0"),
        (Readable.dollars(0.00001), "less than $0.0001"),
        (Readable.dollars(0.0052), "$0.0052"), (Readable.dollars(0.41), "$0.41"), (Readable.dollars(12.345), "$12.35"),
        (Readable.percent(0, of: 0), "–"),
        (Readable.percent(0, of: 10), "0 %"), (Readable.percent(10, of: 10), "100 %"),
        (Readable.percent(9_999, of: 10_000), "more than 99 %"), (Readable.percent(1, of: 10_000), "less than 1 %"),
        (Readable.times(5, of: 10), "0.5 ×"), (Readable.times(123, of: 10), "12 ×"), (Readable.times(1, of: 0), "–"),
    ])
    func `writes numbers for people`(text: String, expected: String) {
        #expect(text == expected)
    }

    @Test(arguments: [0.0, 0.003, 0.9, 1, 7, 99.5, 1_023, 1_024, 123_456, 5e6, 7.7e9, 3e12])
    func `has round marks on an axis, a few, up to a bit more than the largest value`(largest: Double) {
        for scale in [
            ValueScale.bytesPerSecond(largest), .bytes(largest), .number(largest, "x"),
        ] {
            #expect((2...9).contains(scale.ticks.count), "\(largest): \(scale.ticks)")
            #expect(scale.top >= largest && (largest < 0.01 || scale.top <= largest * 2.6), "\(largest): \(scale.top)")
            #expect(Set(scale.ticks.map(\.label)).count == scale.ticks.count, "\(scale.ticks)")
        }
    }

    @Test(arguments: [
        (5.0, "23:59:5"), (90, "00:0"), (7_200, "0"), (100_000, "-"), (1e6, "-"), (1e8, "-"),
    ])
    func `has round times on the other, which fit`(seconds: Double, piece: String) {
        // 2026-11-28T23:59:50Z
        let axis = TimeAxis(start: Timestamp(seconds: 1_795_910_390), seconds: seconds)
        let ticks = axis.ticks(countMax: 8)
        #expect((1...9).contains(ticks.count))
        #expect(ticks.allSatisfy { 0...seconds ~= $0.seconds && $0.label.contains(piece) }, "\(ticks)")
    }

    @Test func `finds where half of the answers lie among powers of two`() {
        #expect(LatencyChart.position([0, 0, 0], of: 0.5) == nil)
        #expect(LatencyChart.position([0, 10, 0], of: 0.5) == 1.5)
        #expect(LatencyChart.position([1, 1], of: 0.99) == 1.98)
        #expect(LatencyChart.position([4, 0, 4], of: 0.5) == 1)
        #expect(LatencyChart.position([0, 0, 5], of: 1) == 3)
    }

    @Test(arguments: ["", "{}", "{\"status\": {}}", "null"])
    func `nothing is made of what another version says`(answer: String) {
        let asked = AskedReport(mountPoint: "/mnt", source: "s3://b", answer: answer)
        #expect { try asked.report() } throws: { "\($0)".contains("tractfs upgrade /mnt") }
    }
}
