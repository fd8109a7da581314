import SystemSupport

/// The states of a process's threads (proc(5), /proc/PID/task), for a log.
struct ProcessThreads: CustomStringConvertible {
    private let threads: [String]

    /// The most threads to describe, to limit the length of the line.
    private static let threadCountMax = 40

    init(of process: Int32) {
        threads = Self.numbers(of: process).prefix(Self.threadCountMax).map { Self.description(of: process, $0) }
    }

    var description: String { threads.joined(separator: "; ") }

    /// Returns "name 123 S in futex_wait_queue", and, for root, the kernel functions on the thread's stack.
    private static func description(of process: Int32, _ thread: Int32) -> String {
        let folder = "/proc/\(process)/task/\(thread)"
        let name = text(folder + "/comm") ?? "?"
        let state = text(folder + "/stat").flatMap(ProcessStat.init)?.state ?? "?"
        let function = text(folder + "/wchan").flatMap { $0 == "0" ? nil : $0 }
        let stack = text(folder + "/stack")?.split(separator: "\n").prefix(6)
            .compactMap { $0.split(separator: " ").last?.split(separator: "+").first }.joined(separator: " < ")
        return "\(name) \(thread) \(state)" + (function.map { " in \($0)" } ?? "") + (stack.map { " (\($0))" } ?? "")
    }

    private static func numbers(of process: Int32) -> [Int32] {
        DirectoryEntries.names(in: "/proc/\(process)/task").compactMap { Int32($0) }.sorted()
    }

    private static func text(_ path: String) -> String? {
        SystemFile.text(path).map { $0.last == "\n" ? String($0.dropLast()) : $0 }
    }
}
