import ArgumentParser
import Glibc
import MountControl
import Mounting
import Settings
import Supervision
import SystemPackage
import SystemSupport

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

    /// The timeout for the mount's answer about its processes. The mount is detached without it all the same.
    private static let answerTimeout: Duration = .seconds(2)
    /// The timeout for the end of a process after SIGTERM. It answers pending requests with errors, which takes no
    /// time.
    private static let endTimeout: Duration = .seconds(10)

    func run() throws {
        let mount = try findMount()
        if mount.isOverlaid, geteuid() != 0 {
            throw Failure("\(mount.mountPoint) has an overlay, which only root can unmount; use sudo")
        }
        let processes = findProcesses(of: mount)
        try Unmount.detach(mount.mountPoint)
        guard let processes else { return }
        if !waitForEnd(of: processes.server, within: grace.duration) {
            // The supervisor forwards the signal, and starts no other server.
            let ours = [processes.supervisor, processes.server].compactMap(\.self)
                .filter { OwnProgram.isRun(by: $0) }
            if let first = ours.first { kill(first, SIGTERM) }
            guard waitForEnd(of: processes.server, within: Self.endTimeout) else {
                throw Failure(
                    "\(mount.mountPoint) is unmounted, but its process \(processes.server) has not ended; end it with "
                        + "kill -9 " + ours.map(String.init).joined(separator: " "))
            }
        }
        if let supervisor = processes.supervisor { _ = waitForEnd(of: supervisor, within: Self.endTimeout) }
    }

    /// Returns the processes of a mount; `nil` if it doesn't answer in time, or if its server doesn't run tractfs: the
    /// answer may be forged, or come from another process namespace, and only tractfs may be sent a signal.
    private func findProcesses(of mount: MountTable.Entry) -> MountProcesses? {
        TimeLimit.run(Self.answerTimeout) { MountProcesses.of(mountAt: mount.mountPoint) }
            .flatMap { $0 }.flatMap { OwnProgram.isRun(by: $0.server) ? $0 : nil }
    }

    private func findMount() throws -> MountTable.Entry {
        try MountPaths.check(mountPoint)
        let table = try MountTable()
        // A path that is in the table isn't resolved, because that would send a request to a mount that may be dead.
        let path = table.mount(at: mountPoint) == nil ? MountPoint.resolve(mountPoint) ?? mountPoint : mountPoint
        guard let mount = table.mount(at: path) else {
            throw Failure("nothing is mounted on \(mountPoint)")
        }
        guard mount.isOurs else {
            throw Failure("what is mounted on \(mountPoint) is not tractfs but \(mount.type); use umount")
        }
        return mount
    }

    /// Waits for the end of a process that is no child of this one. Linux before 5.3 has no descriptor for such a
    /// process, so this polls its state.
    private func waitForEnd(of process: pid_t, within timeout: Duration) -> Bool {
        let deadline = ContinuousClock.now + timeout
        while let stat = ProcessStat(of: process), !stat.hasEnded {
            if ContinuousClock.now >= deadline { return false }
            usleep(20_000)
        }
        return true
    }
}
