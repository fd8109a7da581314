import Dispatch
import FuseBridge
import Glibc
import SystemPackage

/// A mount that was asked how it is.
struct AskedMount: Sendable {
    /// Where it is mounted, and what.
    let mountPoint: String
    let source: String
    /// What its server said, as a JSON object, or why it said nothing.
    let answer: Result<String, Failure>

    /// A server answers at once, be its network gone. One that doesn't within so many seconds is stopped or overloaded.
    private static let patience = 5

    /// What the server said.
    func status() throws(Failure) -> MountStatus {
        guard let status = MountStatus(parsing: try answer.get()) else {
            throw Failure("\(mountPoint) is served by another version of tractfs; see tractfs upgrade")
        }
        return status
    }

    // MARK: Asking

    /// All mounts of ours that this process sees, asked at once. A mount that is seen in several places counts once.
    static func all() throws -> [AskedMount] {
        var devices: Set<String> = []
        return ask(try MountTable().entries.filter { $0.isOurs && devices.insert($0.device).inserted })
    }

    /// The mount on `path`, or that it lies in.
    static func one(at path: String) throws -> AskedMount {
        try MountPaths.check(path)
        let table = try MountTable()
        if let mount = table.mount(at: path), mount.isOurs { return ask([mount])[0] }
        // Resolving asks the mount, which may be dead.
        let resolved = TimeLimit.run(.seconds(patience)) { MountPoint.resolve(path).map { FilePath($0) } }
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
        let deadline = DispatchTime.now() + .seconds(patience)
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
            Failure("\(path) is served by a version of tractfs that can't be asked; see tractfs upgrade")
        default: MountPaths.failure(path, errno)
        }
    }
}
