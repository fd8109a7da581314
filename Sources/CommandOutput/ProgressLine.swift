import SystemSupport

/// The progress of an operation on many bytes, as a line on a terminal.
package struct ProgressLine {
    private let verb: String
    private let totalByteCount: Int
    private var byteCount = 0
    private var line: OverwrittenLine

    /// - Parameter verb: "checked" for "checked 1.2GiB of 3.4GiB".
    package init(_ verb: String, totalByteCount: Int, on line: OverwrittenLine) {
        self.verb = verb
        self.totalByteCount = totalByteCount
        self.line = line
    }

    /// Adds `count` bytes to those that are done.
    package mutating func add(_ count: Int) {
        byteCount += count
        // Mounts may have added blocks since the total was counted.
        let total = max(totalByteCount, byteCount)
        line.show { [verb, byteCount] in "\(verb) \(ByteCount(byteCount).rounded) of \(ByteCount(total).rounded)" }
    }

    /// Clears the line, so that other output can be written.
    package mutating func erase() {
        line.erase()
    }
}
