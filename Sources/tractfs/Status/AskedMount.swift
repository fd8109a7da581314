import Glibc
import MountControl
import Mounting
import Reporting
import SystemPackage
import SystemSupport

/// The status of a mount.
struct AskedMount: Sendable {
    /// The mount point, and the mounted location.
    let mountPoint: String
    let source: String
    /// The server's answer as a JSON object, or the reason that there is none.
    let answer: Result<String, Failure>

    /// The timeout in seconds. A server answers at once, even without a network; a later answer means that it is
    /// stopped or overloaded.
    private static let timeoutSeconds = 5

    /// Returns the decoded answer.
    func status() throws(Failure) -> MountStatus {
        guard let status = MountStatus(parsing: try answer.get()) else {
            throw MountPaths.failure(mountPoint, .protocolNotSupported)
        }
        return status
    }

    /// The mount with its decoded status.
    var observed: ObservedMount {
        ObservedMount(mountPoint: mountPoint, source: source, status: Result { try status() })
    }

    // MARK: Requests

    /// Requests the status of all tractfs mounts visible to this process, concurrently. A mount that is visible in
    /// several places counts once.
    static func all() throws -> [AskedMount] {
        var devices: Set<String> = []
        return ask(try MountTable().entries.filter { $0.isOurs && devices.insert($0.device).inserted })
    }

    /// Requests the status of the mount on `path`, or of the mount that contains it.
    static func one(at path: String) throws -> AskedMount {
        try MountPaths.check(path)
        let table = try MountTable()
        if let mount = table.mount(at: path), mount.isOurs { return ask([mount])[0] }
        // Resolving the path sends a request to the mount, which may be dead.
        let resolved = TimeLimit.run(.seconds(timeoutSeconds)) { MountPoint.resolve(path).map { FilePath($0) } }
        guard let resolved else {
            throw Failure("\(path) doesn't answer; tractfs unmount detaches a mount that is dead")
        }
        guard let resolved else {
            throw Failure("\(path) can't be found; tractfs status without a path lists all mounts")
        }
        guard let mount = table.mount(containing: resolved), mount.isOurs || mount.isForeignFuse else {
            throw notOurs(path)
        }
        return ask([mount])[0]
    }

    private static func notOurs(_ path: String) -> Failure {
        Failure("\(path) is not in a tractfs mount; tractfs status without a path lists all mounts")
    }

    private static func ask(_ mounts: [MountTable.Entry]) -> [AskedMount] {
        let asked = mounts.map { mount in (mount, TimeLimit.begin { answer(of: mount) }) }
        let deadline = ContinuousClock.now + .seconds(timeoutSeconds)
        return asked.map { mount, pending in
            let silence = Failure(
                "\(mount.mountPoint) doesn't answer; tractfs unmount detaches it, whatever state it is in")
            return AskedMount(
                mountPoint: mount.mountPoint, source: mount.source,
                answer: pending.wait(until: deadline) ?? .failure(silence))
        }
    }

    private static func answer(of mount: MountTable.Entry) -> Result<String, Failure> {
        do throws(Errno) {
            return .success(String(decoding: try MountedDirectory(mount.mountPoint).status(), as: UTF8.self))
        } catch {
            let knowsNoQuestion = error == .inappropriateIOCTLForDevice || error == .noFunction
            return .failure(
                mount.isForeignFuse && knowsNoQuestion
                    ? notOurs(mount.mountPoint) : failure(mount.mountPoint, error))
        }
    }

    private static func failure(_ path: String, _ errno: Errno) -> Failure {
        switch errno {
        case .permissionDenied, .notPermitted:
            Failure("\(path): only the user who mounted it may ask it, unless it is mounted with --allow-other")
        case .inappropriateIOCTLForDevice:
            Failure("\(path) is served by a version of tractfs that can't be asked; unmount it, and mount it again")
        default: MountPaths.failure(path, errno)
        }
    }
}
