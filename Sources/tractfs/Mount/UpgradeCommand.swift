import ArgumentParser
import Glibc
import MountControl
import Mounting
import Settings
import Supervision
import SystemPackage
import SystemSupport

/// `tractfs upgrade`.
struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Have a mount be served by the version that is installed now.",
        discussion: """
            To be called after another version was installed where the mount's program lies. Programs that read from the \
            mount notice nothing but a pause. The new version is tried first: if it can't serve the mount, all stays as it \
            was, and one line says why. Needs Linux 6.9 or later.
            """)

    @Argument(help: "Where it is mounted.", completion: .mounts)
    var mountPoint: String

    @Option(help: ArgumentHelp("How long it may take.", valueName: "duration"), transform: Time.read)
    var timeout = Time(seconds: 60)

    func run() throws {
        try MountPaths.check(mountPoint)
        let before = try processes()
        guard let supervisor = before.supervisor, OwnProgram.isRun(by: supervisor) else {
            throw Failure("\(mountPoint) has no supervising process any more; unmount it, and mount it again")
        }
        guard kill(supervisor, SIGUSR2) == 0 else {
            throw Failure("the process \(supervisor) of \(mountPoint) can't be told: \(Errno(rawValue: errno))")
        }
        let after = try waitForEnd(of: before)
        if let reason = after.upgradeFailure { throw Failure("\(mountPoint) is served as before: \(reason)") }
        print("\(mountPoint) is served by tractfs \(after.version), process \(after.server)")
    }

    /// Waits until the number of ended upgrades has increased, which only polling shows.
    private func waitForEnd(of before: MountProcesses) throws(Failure) -> MountProcesses {
        let deadline = ContinuousClock.now + timeout.duration
        while ContinuousClock.now < deadline {
            let now = try processes()
            if now.upgradeCount != before.upgradeCount { return now }
            usleep(20_000)
        }
        throw Failure("\(mountPoint) was not upgraded within \(timeout); see its log")
    }

    /// `true` if the mount table has a mount of tractfs there.
    private var isOurs: Bool {
        let resolved = MountPoint.resolve(mountPoint) ?? mountPoint
        return (try? MountTable())?.mount(at: resolved)?.isOurs == true
    }

    private func processes() throws(Failure) -> MountProcesses {
        do throws(Errno) {
            return try MountedDirectory(mountPoint).processes()
        } catch .inappropriateIOCTLForDevice where isOurs {
            throw Failure(
                "\(mountPoint) is served by a version of tractfs that can't be upgraded; unmount it, and mount it again"
            )
        } catch {
            throw MountPaths.failure(mountPoint, error)
        }
    }
}
