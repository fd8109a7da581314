import Foundation
import SystemSupport

/// A Boolean value that is `true` if this machine allows mounts. Tests that need one are disabled without it, with
/// `fuseMissing` as the reason.
public let fuseAvailable = access("/dev/fuse", R_OK | W_OK) == 0

/// The reason for which a test that mounts is skipped.
public let fuseMissing = "needs /dev/fuse, which this machine does not have or does not let us open"

/// Mounts `uri` with the tractfs that was built with the tests, and calls `body` with the mount point. The mount has a
/// disk cache of its own, unless the options say otherwise.
///
/// The mount ends after `body`, by force if necessary, and its processes must have ended.
///
/// - Parameters:
///   - options: Options of `tractfs mount`.
///   - environment: Variables of the command, such as credentials.
///   - launcher: The command that runs it, such as one that changes the network first.
///   - program: Another tractfs.
public func withMount<Result>(
    uri: String, options: [String] = [], environment: [String: String] = [:], launcher: [String] = [],
    program: String? = nil, _ body: (String) throws -> Result
) throws -> Result {
    try withTemporaryDirectory { directory in
        let mountPoint = directory + "/mount"
        try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: false)
        let saysWhereToCache = options.contains("--cache-dir") || options.contains("--no-cache")
        let cache = saysWhereToCache ? [] : ["--cache-dir", directory + "/cache"]
        let result = Swift.Result {
            let command = launcher + [try program ?? tractfsExecutable(), "mount", uri, mountPoint] + cache + options
            try runChecked(
                command[0], Array(command.dropFirst()), environment: environment,
                timeout: .seconds(60))
            return try body(mountPoint)
        }
        try unmountForSure(mountPoint)
        return try result.get()
    }
}

/// The two processes of a mount.
public struct MountProcesses {
    /// Serves it.
    public let server: Int32
    /// Starts another server when that one dies.
    public let supervisor: Int32

    /// Those of the mount on `mountPoint`; `nil` while there are not both.
    public init?(of mountPoint: String) {
        let all = processes(withArgument: mountPoint)
        guard let server = all.first(where: { ProcessStat(of: $0)?.parent.map(all.contains) ?? false }),
            let supervisor = ProcessStat(of: server)?.parent
        else { return nil }
        self.server = server
        self.supervisor = supervisor
    }

    /// Kills both, so that neither can react to the other's death.
    public func killBoth() {
        kill(supervisor, SIGKILL)
        kill(server, SIGKILL)
    }
}

/// Unmounts, lazily where it is busy, and waits for the process; kills it and throws where it stays.
private func unmountForSure(_ mountPoint: String) throws {
    do {
        try eventually("the end of the process that served \(mountPoint)") {
            // In a loop, because a command that failed may still be mounting.
            if isMounted(mountPoint), try run("fusermount3", ["-u", mountPoint]).status != 0 {
                _ = try run("fusermount3", ["-u", "-z", mountPoint])
            }
            return processes(withArgument: mountPoint).isEmpty
        }
    } catch {
        let left = processes(withArgument: mountPoint)
        let threads = try? run(
            "ps", ["-L", "-o", "pid,ppid,tid,stat,wchan:24", "-p", left.map(String.init).joined(separator: ",")])
        MountProcesses(of: mountPoint)?.killBoth()
        left.forEach { kill($0, SIGKILL) }
        throw CommandFailure(
            description: "\(error); \(isMounted(mountPoint) ? "mounted" : "not mounted")\n\(threads?.output ?? "")")
    }
}

/// Returns the lines of a process's mount table (proc_pid_mountinfo(5)).
///
/// - Parameter process: Its id; by default the test's own process.
public func mountTable(of process: Int32? = nil) -> [Substring] {
    // FileManager reads one page of a file in /proc, which is too little for some forty mounts.
    let file = FileHandle(forReadingAtPath: "/proc/\(process.map(String.init) ?? "self")/mountinfo")
    return String(decoding: file?.readDataToEndOfFile() ?? Data(), as: UTF8.self).split(separator: "\n")
}

/// Returns `true` if exactly this path has a mount.
public func isMounted(_ path: String) -> Bool {
    mountTable().contains { line in
        // The fifth field is the mount point, spaces as "\040".
        let fields = line.split(separator: " ")
        return fields.count > 4 && fields[4].replacing("\\040", with: " ") == path
    }
}

/// The ids of the processes that have `argument` among their arguments, such as a mount point.
public func processes(withArgument argument: String) -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    // A zero ends each argument. `Data` searches fast, also in a debug build.
    let first = Data(argument.utf8) + Data([0])
    let later = Data([0]) + first
    return names.compactMap(Int32.init).filter { processID in
        let arguments = FileManager.default.contents(atPath: "/proc/\(processID)/cmdline") ?? Data()
        return arguments.starts(with: first) || arguments.range(of: later) != nil
    }
}
