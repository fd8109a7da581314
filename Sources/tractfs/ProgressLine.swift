/// How far something that goes through many bytes is, in a line for a terminal.
struct ProgressLine {
    private let verb: String
    private let totalByteCount: Int
    private var byteCount = 0
    private var line: OverwrittenLine

    /// Says "checked 1.2GiB of 3.4GiB" for the verb "checked".
    init(_ verb: String, totalByteCount: Int, on line: OverwrittenLine) {
        self.verb = verb
        self.totalByteCount = totalByteCount
        self.line = line
    }

    /// So many bytes more are done.
    mutating func add(_ count: Int) {
        byteCount += count
        // Mounts may have added something since the total was counted.
        let total = max(totalByteCount, byteCount)
        line.show { [verb, byteCount] in "\(verb) \(ByteCount(byteCount).rounded) of \(ByteCount(total).rounded)" }
    }

    /// Clears the line, so that something else can be written there.
    mutating func erase() {
        line.erase()
    }
}
