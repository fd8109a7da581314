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
        let state = text(folder + "/stat").flatMap(ProcessState.init(stat:))?.letter ?? "?"
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

/// The state of a process (proc(5), /proc/PID/stat).
package struct ProcessState {
    /// "R", "S", "D", "T", "Z" …
    let letter: String

    /// Reads the state of a process; `nil` if there is no such process.
    package init?(of process: Int32) {
        guard let stat = SystemFile.text("/proc/\(process)/stat"), let state = ProcessState(stat: stat) else {
            return nil
        }
        self = state
    }

    /// Parses the content of a `stat` file.
    init?(stat: String) {
        // The state follows the name in parentheses, which may contain any character.
        guard let end = stat.lastIndex(of: ")"), let letter = stat[end...].dropFirst(2).first else { return nil }
        self.letter = String(letter)
    }

    /// `true` if the process has ended and its parent has not waited for it yet, or if one of its threads still hangs
    /// in the kernel.
    package var hasEnded: Bool { letter == "Z" || letter == "X" }

    /// `true` if the process is stopped by a signal ("T") or a debugger ("t").
    var isStopped: Bool { letter == "T" || letter == "t" }

    /// Returns `true` if one of the process's control groups is frozen (cgroups(7)), which its state doesn't show.
    static func isFrozen(_ process: Int32) -> Bool {
        let groups = SystemFile.text("/proc/\(process)/cgroup")?.split(separator: "\n") ?? []
        return groups.contains { group in
            // ID:CONTROLLERS:PATH; version 2 has no controllers.
            let fields = group.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return false }
            let path = fields[2]
            if fields[1].isEmpty {
                return ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].contains {
                    SystemFile.text("\($0)\(path)/cgroup.events")?.contains("frozen 1") == true
                }
            }
            return fields[1].split(separator: ",").contains("freezer")
                && SystemFile.text("/sys/fs/cgroup/freezer\(path)/freezer.state")?.hasPrefix("FROZEN") == true
        }
    }
}
