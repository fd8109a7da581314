/// The status of a process or a thread (proc(5), /proc/PID/stat).
public struct ProcessStat {
    /// The fields from the third one on: those after the name, which may contain any character, even parentheses.
    private let fields: [Substring]

    /// Reads the status of a process; `nil` if there is no such process.
    public init?(of process: Int32) {
        guard let text = SystemFile.text("/proc/\(process)/stat") else { return nil }
        self.init(text)
    }

    /// Parses the content of a `stat` file.
    public init?(_ text: String) {
        guard let end = text.lastIndex(of: ")") else { return nil }
        fields = text[end...].dropFirst().split(whereSeparator: \.isWhitespace)
        guard !fields.isEmpty else { return nil }
    }

    /// "R", "S", "D", "T", "Z" …
    public var state: Substring { fields[0] }

    /// The number of the parent.
    public var parent: Int32? { fields.count > 1 ? Int32(fields[1]) : nil }

    /// The time from the boot of the machine to the start of the process, in ticks of the clock.
    public var startTime: UInt64? { fields.count > 19 ? UInt64(fields[19]) : nil }

    /// `true` if the process has ended and its parent has not waited for it yet, or if one of its threads still hangs
    /// in the kernel.
    public var hasEnded: Bool { state == "Z" || state == "X" }

    /// `true` if the process is stopped by a signal ("T") or a debugger ("t").
    public var isStopped: Bool { state == "T" || state == "t" }
}
