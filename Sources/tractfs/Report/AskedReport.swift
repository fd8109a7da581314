import FuseBridge
import Glibc
import SystemPackage

/// A mount that was asked for its report.
struct AskedReport {
    /// Where it is mounted, and what.
    let mountPoint: String
    let source: String
    /// What its server said, as a JSON object.
    let answer: String

    /// A server needs some ten milliseconds for it. One that doesn't answer within so many seconds is stopped or overloaded.
    private static let patience = 20

    /// Asks the mount on `path`, or that it lies in.
    static func one(at path: String) throws -> AskedReport {
        let mount = try AskedMount.one(at: path)
        // Whether it answers at all, and may be asked.
        _ = try mount.answer.get()
        let mountPoint = mount.mountPoint
        let answer = TimeLimit.run(.seconds(patience)) { AskedReport.answer(of: mountPoint) }
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
            // Another server has taken over between two pages, and has begun a history of its own.
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

    /// What the server said.
    func report() throws(Failure) -> MountReport {
        guard let report = MountReport(parsing: answer) else {
            throw Failure(
                "\(mountPoint) is served by another version of tractfs; have it served by this one: "
                    + "tractfs upgrade \(mountPoint)")
        }
        return report
    }

    /// All of it for programs: where the mount is, and behind that what its server said, member by member.
    var json: String {
        let head = JSONObject([("mount_point", .string(mountPoint)), ("source", .string(source))])
        return "\(head)".dropLast() + ", " + answer.drop { $0 != "{" }.dropFirst() + "\n"
    }
}
