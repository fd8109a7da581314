import Foundation

/// A Boolean value that is `true` if this machine allows mounts. Tests that need one are disabled without it, with
/// `fuseMissing` as the reason.
public let fuseAvailable = access("/dev/fuse", R_OK | W_OK) == 0

/// The reason for which a test that mounts is skipped.
public let fuseMissing = "needs /dev/fuse, which this machine does not have or does not let us open"

/// Mounts `uri` with the tractfs that was built with the tests, and calls `body` with the mount point. The mount has a disk
/// cache of its own, unless the options say otherwise.
///
/// Whatever `body` does, nothing stays: the mount is undone, by force at last, and the process must have ended.
///
/// - Parameters:
///   - options: Options of `tractfs mount`.
///   - environment: For the command, such as a server's credentials.
///   - launcher: What the command is run by, such as one that changes the network first.
public func withMount<Result>(
    uri: String, options: [String] = [], environment: [String: String] = [:], launcher: [String] = [],
    _ body: (String) throws -> Result
) throws -> Result {
    try withTemporaryDirectory { directory in
        let mountPoint = directory + "/mount"
        try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: false)
        let saysWhereToCache = options.contains("--cache-dir") || options.contains("--no-cache")
        let cache = saysWhereToCache ? [] : ["--cache-dir", directory + "/cache"]
        let result = Swift.Result {
            let command = launcher + [try tractfsExecutable(), "mount", uri, mountPoint] + cache + options
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
        guard let server = all.first(where: { parent(of: $0).map(all.contains) ?? false }),
            let supervisor = parent(of: server)
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

private func parent(of process: Int32) -> Int32? {
    let stat = FileManager.default.contents(atPath: "/proc/\(process)/stat") ?? Data()
    // Behind the name in parentheses, which may hold anything, come the state and the parent (proc(5)).
    let fields = String(decoding: stat, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
    return fields.count > 1 ? Int32(fields[1]) : nil
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

/// Returns `true` if exactly this path has a mount.
public func isMounted(_ path: String) -> Bool {
    let table = FileManager.default.contents(atPath: "/proc/self/mountinfo") ?? Data()
    return String(decoding: table, as: UTF8.self).split(separator: "\n").contains { line in
        // The fifth field is the mount point, spaces as "\040" (proc_pid_mountinfo(5)).
        let fields = line.split(separator: " ")
        return fields.count > 4 && fields[4].replacing("\\040", with: " ") == path
    }
}

/// The ids of the processes that have `argument` among their arguments, such as a mount point.
public func processes(withArgument argument: String) -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap(Int32.init).filter { processID in
        let arguments = FileManager.default.contents(atPath: "/proc/\(processID)/cmdline") ?? Data()
        return arguments.split(separator: 0).contains { $0.elementsEqual(argument.utf8) }
    }
}
