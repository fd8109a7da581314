import FuseBridge
import Glibc
import SystemPackage
import SystemSupport

/// The report of a mount.
struct AskedReport {
    /// The mount point, and the mounted location.
    let mountPoint: String
    let source: String
    /// The server's answer, as a JSON object.
    let answer: String

    /// The timeout in seconds. A server needs some ten milliseconds; a later answer means that it is stopped or
    /// overloaded.
    private static let timeoutSeconds = 20

    /// Requests the report of the mount on `path`, or of the mount that contains it.
    static func one(at path: String) throws -> AskedReport {
        let mount = try AskedMount.one(at: path)
        // Fails if the mount doesn't answer or refuses access.
        _ = try mount.answer.get()
        let mountPoint = mount.mountPoint
        let answer = TimeLimit.run(.seconds(timeoutSeconds)) { AskedReport.answer(of: mountPoint) }
        guard let answer else {
            throw Failure("\(mountPoint) doesn't answer; tractfs unmount detaches it, whatever state it is in")
        }
        return AskedReport(mountPoint: mountPoint, source: mount.source, answer: try answer.get())
    }

    private static func answer(of mountPoint: String) -> Result<String, Failure> {
        do throws(Errno) {
            return .success(String(decoding: try bytes(of: mountPoint), as: UTF8.self))
        } catch {
            return .failure(failure(mountPoint, error))
        }
    }

    private static func bytes(of mountPoint: String) throws(Errno) -> [UInt8] {
        do throws(Errno) {
            return try MountedDirectory(mountPoint).report()
        } catch {
            guard error == .noData else { throw error }
            // Another server has taken over between two pages, and has begun its own history.
            return try MountedDirectory(mountPoint).report()
        }
    }

    private static func failure(_ mountPoint: String, _ errno: Errno) -> Failure {
        switch errno {
        case .inappropriateIOCTLForDevice:
            Failure(
                "\(mountPoint) is served by a version of tractfs that keeps no history; have it served by this one: "
                    + "tractfs upgrade \(mountPoint)")
        case .resourceBusy: Failure("\(mountPoint) is giving several reports already; try again in a moment")
        default: MountPaths.failure(mountPoint, errno)
        }
    }

    /// Returns the decoded answer.
    func report() throws(Failure) -> MountReport {
        guard let report = MountReport(parsing: answer) else {
            throw Failure(
                "\(mountPoint) is served by another version of tractfs; have it served by this one: "
                    + "tractfs upgrade \(mountPoint)")
        }
        return report
    }

    /// The complete report for programs: the mount point, then the members of the server's answer.
    var json: String {
        let head = JSONObject([("mount_point", .string(mountPoint)), ("source", .string(source))])
        return "\(head)".dropLast() + ", " + answer.drop { $0 != "{" }.dropFirst() + "\n"
    }
}
