import Glibc
import SystemPackage
import SystemSupport

/// What a process of `tractfs mount` is started with by another one, beside its arguments: open files, and what variables of
/// its environment say.
struct Inheritance {
    let role: ProcessRole
    /// Where relative paths are relative to: the folder that the command was typed in.
    var workingDirectory = ""
    /// The pipe to the command that waits (`StartReport`); a supervisor's.
    var report: FileDescriptor?
    /// The socket to the supervisor (`ServerReport`); a server's.
    var supervisor: FileDescriptor?
    /// The file of the `SupervisionPage`.
    var page: FileDescriptor?
    /// The files of the `StateLog`; none where there is no such log.
    var stateLog: [FileDescriptor] = []
    /// The mounted /dev/fuse, and where it is mounted; what a successor takes over.
    var device: FileDescriptor?
    var place: MountPlace?
    /// The serving process that there is; an upgraded supervisor's.
    var server: Int32?
    /// The folder of the mount's overlay, and where its lower mount is asked for; an upgraded supervisor's.
    var overlay: FileDescriptor?
    var lowerMountSocket: FileDescriptor?

    init(_ role: ProcessRole) {
        self.role = role
    }

    private enum Variable {
        static let role = "TRACTFS_ROLE"
        static let workingDirectory = "TRACTFS_WORKING_DIRECTORY"
        static let descriptors = "TRACTFS_DESCRIPTORS"
        static let place = "TRACTFS_MOUNT_PLACE"
        static let server = "TRACTFS_SERVER"
        static let overlay = "TRACTFS_OVERLAY"
        static let all = [role, workingDirectory, descriptors, place, server, overlay]
    }

    // MARK: Handing on

    /// The environment of the process that is started, "NAME=VALUE" each: this process's, and what it inherits.
    var environment: [String] {
        var variables = Environment.variables()
        variables[Variable.role] = role.rawValue
        variables[Variable.workingDirectory] = workingDirectory
        variables[Variable.descriptors] = numbers.map(String.init).joined(separator: ",")
        variables[Variable.place] = place?.text
        variables[Variable.server] = server.map(String.init)
        variables[Variable.overlay] = overlay.map { _ in
            [overlay, lowerMountSocket].map { String($0?.rawValue ?? -1) }.joined(separator: ",")
        }
        return variables.map { "\($0.key)=\($0.value)" }
    }

    /// The open files, which the process finds under the numbers that they have here.
    var descriptors: [FileDescriptor] {
        [report, supervisor, page, device, overlay, lowerMountSocket].compactMap { $0 } + stateLog
    }

    /// The numbers in the order in which they are told, -1 for what there isn't.
    private var numbers: [Int32] {
        [report, supervisor, page, device].map { $0?.rawValue ?? -1 } + stateLog.map(\.rawValue)
    }

    // MARK: Taking

    /// What a process with this environment was started for by another one; `nil` where a person started it.
    static func role(in environment: [String: String]) -> ProcessRole? {
        environment[Variable.role].flatMap(ProcessRole.init(rawValue:))
    }

    /// What this process was started with; `nil` where it was started by a person. None of it is handed on by itself, and
    /// what else it was started with beyond the standard streams is closed: somebody may wait for the other end of it to
    /// close, and a mount lives long.
    static func take() -> Inheritance? {
        let variables = Environment.variables()
        guard let role = role(in: variables) else { return nil }
        for variable in Variable.all { unsetenv(variable) }
        var inheritance = Inheritance(role)
        inheritance.workingDirectory = variables[Variable.workingDirectory] ?? ""
        inheritance.take(numbers(in: variables[Variable.descriptors]))
        let overlay = files(numbers(in: variables[Variable.overlay]))
        if overlay.count >= 2 { (inheritance.overlay, inheritance.lowerMountSocket) = (overlay[0], overlay[1]) }
        inheritance.place = variables[Variable.place].flatMap { MountPlace($0) }
        inheritance.server = variables[Variable.server].flatMap { Int32($0) }
        inheritance.closeAllElse()
        // If it is gone, nothing is relative to it any more.
        _ = chdir(inheritance.workingDirectory)
        return inheritance
    }

    private static func numbers(in list: String?) -> [Int32] {
        (list ?? "").split(separator: ",").compactMap { Int32($0) }
    }

    private static func files(_ numbers: [Int32]) -> [FileDescriptor?] {
        numbers.map { $0 < 0 ? nil : FileDescriptor(rawValue: $0) }
    }

    private mutating func take(_ numbers: [Int32]) {
        let descriptors = Self.files(numbers)
        guard descriptors.count >= 4 else { return }
        (report, supervisor, page, device) = (descriptors[0], descriptors[1], descriptors[2], descriptors[3])
        stateLog = descriptors.dropFirst(4).compactMap { $0 }
    }

    private func closeAllElse() {
        let ours = Set(descriptors.map(\.rawValue))
        for descriptor in DirectoryEntries.names(in: "/proc/self/fd").compactMap({ Int32($0) })
        where descriptor > STDERR_FILENO {
            if ours.contains(descriptor) {
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            } else {
                close(descriptor)
            }
        }
    }
}
