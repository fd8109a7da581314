import SystemPackage
import SystemSupport

/// What the threads of a process are at, as far as the kernel tells (proc(5), /proc/PID/task).
struct ProcessThreads: CustomStringConvertible {
    private let threads: [String]

    /// More would be a long line.
    private static let threadCountMax = 40

    init(of process: Int32) {
        threads = Self.numbers(of: process).prefix(Self.threadCountMax).map { Self.description(of: process, $0) }
    }

    var description: String { threads.joined(separator: "; ") }

    /// "name 123 S in futex_wait_queue", and for root the kernel's functions that it waits in.
    private static func description(of process: Int32, _ thread: Int32) -> String {
        let folder = "/proc/\(process)/task/\(thread)"
        let name = text(folder + "/comm") ?? "?"
        let state = text(folder + "/stat").flatMap(ProcessState.init(stat:))?.letter ?? "?"
        let place = text(folder + "/wchan").flatMap { $0 == "0" ? nil : $0 }
        let stack = text(folder + "/stack")?.split(separator: "\n").prefix(6)
            .compactMap { $0.split(separator: " ").last?.split(separator: "+").first }.joined(separator: " < ")
        return "\(name) \(thread) \(state)" + (place.map { " in \($0)" } ?? "") + (stack.map { " (\($0))" } ?? "")
    }

    private static func numbers(of process: Int32) -> [Int32] {
        DirectoryEntries.names(in: "/proc/\(process)/task").compactMap { Int32($0) }.sorted()
    }

    private static func text(_ path: String) -> String? {
        ProcessState.text(path).map { $0.last == "\n" ? String($0.dropLast()) : $0 }
    }
}

/// How a process is doing (proc(5), /proc/PID/stat, behind the name in parentheses).
struct ProcessState {
    /// "R", "S", "D", "T", "Z" …
    let letter: String

    /// That of a process; `nil` where there is none.
    init?(of process: Int32) {
        guard let stat = Self.text("/proc/\(process)/stat"), let state = ProcessState(stat: stat) else { return nil }
        self = state
    }

    /// That in the content of a `stat` file.
    init?(stat: String) {
        // The name may hold anything.
        guard let end = stat.lastIndex(of: ")"), let letter = stat[end...].dropFirst(2).first else { return nil }
        self.letter = String(letter)
    }

    /// Whether it has ended, and only stays in the table until its parent looks at it; or, while one of its other threads
    /// still hangs in the kernel.
    var hasEnded: Bool { letter == "Z" || letter == "X" }

    /// `true` if it was stopped by a signal ("T") or a debugger ("t").
    var isStopped: Bool { letter == "T" || letter == "t" }

    /// Returns `true` if a control group that it is in is frozen (cgroups(7)), which its state doesn't tell.
    static func isFrozen(_ process: Int32) -> Bool {
        let groups = text("/proc/\(process)/cgroup")?.split(separator: "\n") ?? []
        return groups.contains { group in
            // ID:CONTROLLERS:PATH, where version 2 has no controllers.
            let fields = group.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return false }
            let path = fields[2]
            if fields[1].isEmpty {
                return ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].contains {
                    text("\($0)\(path)/cgroup.events")?.contains("frozen 1") == true
                }
            }
            return fields[1].split(separator: ",").contains("freezer")
                && text("/sys/fs/cgroup/freezer\(path)/freezer.state")?.hasPrefix("FROZEN") == true
        }
    }

    /// What is in a small file of /proc or /sys.
    static func text(_ path: String) -> String? {
        guard let file = try? FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec),
            let bytes = try? file.closeAfter({ try file.readToEnd(limit: 4_096) })
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
