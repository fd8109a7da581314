import ArgumentParser
import Dispatch
import FuseBridge
import Glibc
import SystemSupport
import Synchronization
import SystemPackage

/// `tractfs unmount`.
struct UnmountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unmount",
        abstract: "Unmount.",
        discussion: """
            The mount point is free at once. Programs that still have files open may read on for a while; after that their \
            reads fail, and the serving process ends.
            """)

    @Argument(help: "Where it is mounted.")
    var mountPoint: String

    @Option(
        help: ArgumentHelp("How long programs that have files open may read on.", valueName: "duration"),
        transform: Time.read)
    var grace = Time(seconds: 5)

    func run() throws {
        let mount = try findMount()
        let server = findServer(of: mount)
        try Unmount.detach(mount.mountPoint)
        guard let server else { return }
        if waitForEnd(of: server, within: grace) { return }
        kill(server, SIGTERM)
        // The server answers what is under way with errors, which takes no time.
        guard waitForEnd(of: server, within: Time(seconds: 10)) else {
            throw Failure(
                "\(mount.mountPoint) is unmounted, but its process \(server) has not ended; end it with kill -9")
        }
    }

    /// The process that serves a mount; `nil` where none answers soon. Detaching must not depend on it.
    private func findServer(of mount: MountTable.Entry) -> pid_t? {
        let answer = Mutex<pid_t?>(nil)
        let arrival = DispatchSemaphore(value: 0)
        DetachedThread.start {
            let server = Unmount.server(of: mount.mountPoint)
            answer.withLock { $0 = server }
            arrival.signal()
        }
        _ = arrival.wait(timeout: .now() + .seconds(2))
        // What a mount says may come from another process namespace, or be a lie: only tractfs is ever sent a signal.
        return answer.withLock { $0 }.flatMap { isTractfs($0) ? $0 : nil }
    }

    private func isTractfs(_ process: pid_t) -> Bool {
        guard let program = MountPoint.resolve("/proc/\(process)/exe"), let own = MountPoint.resolve("/proc/self/exe")
        else { return false }
        return program.split(separator: "/").last == own.split(separator: "/").last
    }

    private func findMount() throws -> MountTable.Entry {
        let table = try MountTable()
        // Not resolved if the path is in the table as it stands: resolving asks a mount that may be dead.
        let path = table.mount(at: mountPoint) == nil ? MountPoint.resolve(mountPoint) ?? mountPoint : mountPoint
        guard let mount = table.mount(at: path) else {
            throw Failure("nothing is mounted on \(mountPoint)")
        }
        guard mount.isTractfs else {
            throw Failure("what is mounted on \(mountPoint) is not tractfs but \(mount.type); use umount")
        }
        return mount
    }

    private func waitForEnd(of process: pid_t, within time: Time) -> Bool {
        let deadline = ContinuousClock.now + time.duration
        while isRunning(process) {
            if ContinuousClock.now >= deadline { return false }
            usleep(20_000)
        }
        return true
    }

    /// Whether a process has not ended. One that has may stay in the table until its parent, which needn't be us, looks at
    /// it: its state is "Z" then (proc(5), /proc/PID/stat, behind the name in parentheses).
    private func isRunning(_ process: pid_t) -> Bool {
        guard let file = try? FileDescriptor.open(FilePath("/proc/\(process)/stat"), .readOnly),
            let bytes = try? file.closeAfter({ try file.readToEnd(limit: 4_096) })
        else { return false }
        return !String(decoding: bytes, as: UTF8.self).split(separator: ") ").dropFirst().joined().hasPrefix("Z")
    }
}
