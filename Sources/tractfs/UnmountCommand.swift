import ArgumentParser
import Dispatch
import FuseBridge
import Glibc
import MountControl
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

    @Argument(help: "Where it is mounted.", completion: .mounts)
    var mountPoint: String

    @Option(
        help: ArgumentHelp("How long programs that have files open may read on.", valueName: "duration"),
        transform: Time.read)
    var grace = Time(seconds: 5)

    func run() throws {
        let mount = try findMount()
        if mount.isOverlaid, geteuid() != 0 {
            throw Failure("\(mount.mountPoint) has an overlay, which only root can unmount; use sudo")
        }
        let processes = findProcesses(of: mount)
        try Unmount.detach(mount.mountPoint)
        guard let processes else { return }
        if !waitForEnd(of: processes.server, within: grace) {
            // The supervisor hands it on, and starts no other server.
            let ours = [processes.supervisor, processes.server].compactMap(\.self).filter(OwnProgram.isOf)
            if let first = ours.first { kill(first, SIGTERM) }
            // The server answers what is under way with errors, which takes no time.
            guard waitForEnd(of: processes.server, within: Time(seconds: 10)) else {
                throw Failure(
                    "\(mount.mountPoint) is unmounted, but its process \(processes.server) has not ended; end it with "
                        + "kill -9 " + ours.map(String.init).joined(separator: " "))
            }
        }
        if let supervisor = processes.supervisor { _ = waitForEnd(of: supervisor, within: Time(seconds: 10)) }
    }

    /// The processes behind a mount; `nil` where none answers soon. Detaching must not depend on it.
    private func findProcesses(of mount: MountTable.Entry) -> MountProcesses? {
        let answer = Mutex<MountProcesses?>(nil)
        let arrival = DispatchSemaphore(value: 0)
        DetachedThread.start {
            let processes = MountProcesses.of(mountAt: mount.mountPoint)
            answer.withLock { $0 = processes }
            arrival.signal()
        }
        _ = arrival.wait(timeout: .now() + .seconds(2))
        // What a mount says may come from another process namespace, or be a lie: only tractfs is ever sent a signal.
        return answer.withLock { $0 }.flatMap { OwnProgram.isOf($0.server) ? $0 : nil }
    }

    private func findMount() throws -> MountTable.Entry {
        try MountPaths.check(mountPoint)
        let table = try MountTable()
        // Not resolved if the path is in the table as it stands: resolving asks a mount that may be dead.
        let path = table.mount(at: mountPoint) == nil ? MountPoint.resolve(mountPoint) ?? mountPoint : mountPoint
        guard let mount = table.mount(at: path) else {
            throw Failure("nothing is mounted on \(mountPoint)")
        }
        guard mount.isOurs else {
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

    /// Whether a process has not ended. One that has may stay in the table until its parent, which needn't be us, looks at it.
    private func isRunning(_ process: pid_t) -> Bool {
        ProcessState(of: process).map { !$0.hasEnded } ?? false
    }
}
