import SystemSupport
import Testing

@Suite struct ByteCountTests {
    @Test(
        "a number of bytes is rounded to what people read",
        arguments: [
            (0, "0B"), (1, "1B"), (999, "999B"), (1_000, "1.0KiB"), (1_023, "1.0KiB"), (1_024, "1.0KiB"),
            (1_536, "1.5KiB"), (10_188, "9.9KiB"), (10_200, "10KiB"), (1_022_975, "999KiB"), (1_023_489, "1.0MiB"),
            (10 << 30, "10GiB"), (1 << 30, "1.0GiB"), (1_234_567_890, "1.1GiB"), (5 << 40, "5.0TiB"),
            (Int.max, "8388608TiB"),
        ])
    func rounding(byteCount: Int, text: String) {
        #expect(ByteCount(byteCount).rounded == text)
    }
}
