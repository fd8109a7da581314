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

    /// A server answers at once, be its network gone. One that doesn't within this time is stopped or overloaded.
    private static let patience: Duration = .seconds(5)

    /// What the server said.
    func status() throws(Failure) -> MountStatus {
        guard let status = MountStatus(parsing: try answer.get()) else {
            throw Failure("\(mountPoint) is served by another version of tractfs; see tractfs upgrade")
        }
        return status
    }

    // MARK: Asking

    /// All mounts of ours that this process sees, asked one after the other. A mount that is seen in several places counts
    /// once.
    static func all() throws -> [AskedMount] {
        var devices: Set<String> = []
        return try MountTable().entries.filter { $0.isTractfs && devices.insert($0.device).inserted }.map(ask)
    }

    /// The mount on `path`, or that it lies in.
    static func one(at path: String) throws -> AskedMount {
        let table = try MountTable()
        if let mount = table.mount(at: path), mount.isTractfs { return ask(mount) }
        // Resolving asks the mount, which may be dead.
        let resolved = TimeLimit.run(patience) { MountPoint.resolve(path).map { FilePath($0) } }
        guard let resolved else {
            throw Failure("\(path) doesn't answer; tractfs unmount detaches a mount that is dead")
        }
        guard let resolved else {
            throw Failure("\(path) can't be found; tractfs status without a path lists all mounts")
        }
        guard let mount = table.mount(containing: resolved), mount.isTractfs else {
            throw Failure("\(path) is not in a tractfs mount; tractfs status without a path lists all mounts")
        }
        return ask(mount)
    }

    private static func ask(_ mount: MountTable.Entry) -> AskedMount {
        let path = mount.mountPoint
        let answer = TimeLimit.run(patience) {
            Result { () throws(Failure) in
                do throws(Errno) {
                    return String(decoding: try MountedDirectory(path).status(), as: UTF8.self)
                } catch {
                    throw failure(path, error)
                }
            }
        }
        let silence = Failure("\(path) doesn't answer; tractfs unmount detaches it, whatever state it is in")
        return AskedMount(mountPoint: path, source: mount.source, answer: answer ?? .failure(silence))
    }

    private static func failure(_ path: String, _ errno: Errno) -> Failure {
        switch errno {
        case .permissionDenied, .notPermitted:
            Failure("\(path): only the user who mounted it may ask it, unless it is mounted with --allow-other")
        default: MountPaths.failure(path, errno)
        }
    }
}
