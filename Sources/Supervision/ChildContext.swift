import Glibc
package import Mounting
package import SystemPackage
import SystemSupport

/// The context that a process of `tractfs mount` passes to a process that it starts, beside the arguments: open files,
/// and environment variables with their numbers.
///
/// The receiver may be another version of the program (`tractfs upgrade`), so the variables carry a format number. A
/// program that doesn't know the format refuses it, and the mount continues with the old version.
package struct ChildContext: Sendable {
    package let role: ProcessRole
    /// The folder of the command, against which relative paths are resolved.
    package var workingDirectory = ""
    /// The pipe to the waiting command (`StartReport`); for a supervisor.
    package var startReport: FileDescriptor?
    /// The socket to the supervisor (`ServerReport`); for a server.
    package var supervisor: FileDescriptor?
    /// The memory of `SupervisorSharedState`.
    package var sharedState: FileDescriptor?
    /// The files of the state log; empty if there is none.
    package var stateLog: [FileDescriptor] = []
    /// The mounted /dev/fuse, and its mount; for a successor.
    package var device: FileDescriptor?
    package var mount: MountIdentity?
    /// The process ID of the current server; for an upgraded supervisor.
    package var server: Int32?
    /// The folder of the overlay.
    package var overlay: FileDescriptor?
    /// The socket for requests for the mount below the overlay (`LowerMount`); for an upgraded supervisor.
    package var lowerMountSocket: FileDescriptor?
    /// The process with which the mount ends (`MountOwner`); for a supervisor.
    package var owner: FileDescriptor?

    package init(_ role: ProcessRole) {
        self.role = role
    }

    /// The names of the variables. None of them has the prefix TRACTFS_, which belongs to the user's settings.
    private enum Variable {
        // The first three mean the same in every format, so that any version can refuse a format that it doesn't know.
        static let format = "_TRACTFS_CHILD_FORMAT"
        static let role = "_TRACTFS_CHILD_ROLE"
        static let supervisor = "_TRACTFS_CHILD_SUPERVISOR"
        static let workingDirectory = "_TRACTFS_CHILD_WORKING_DIRECTORY"
        static let stateLog = "_TRACTFS_CHILD_STATE_LOG"
        static let mountPoint = "_TRACTFS_CHILD_MOUNT_POINT"
        static let mountDevice = "_TRACTFS_CHILD_MOUNT_DEVICE"
        static let server = "_TRACTFS_CHILD_SERVER"
        static let prefix = "_TRACTFS_CHILD_"
    }

    /// The format of the variables. Change it if a variable changes its meaning, or if a new one must not be ignored.
    package static let format = "2"

    /// The fields that are single descriptors, by variable.
    private static var descriptorFields: [(variable: String, field: WritableKeyPath<ChildContext, FileDescriptor?>)] {
        [
            (Variable.supervisor, \.supervisor), ("_TRACTFS_CHILD_START_REPORT", \.startReport),
            ("_TRACTFS_CHILD_SHARED_STATE", \.sharedState), ("_TRACTFS_CHILD_DEVICE", \.device),
            ("_TRACTFS_CHILD_OVERLAY", \.overlay), ("_TRACTFS_CHILD_LOWER_MOUNT_SOCKET", \.lowerMountSocket),
            ("_TRACTFS_CHILD_OWNER", \.owner),
        ]
    }

    // MARK: Passing

    /// Returns the environment for the new process, as "NAME=VALUE": `variables`, and those of this context.
    package func environment(addedTo variables: [String: String]) -> [String] {
        var variables = variables.filter { !$0.key.hasPrefix(Variable.prefix) }
        variables[Variable.format] = Self.format
        variables[Variable.role] = role.rawValue
        // A program that knows only the first format takes itself for a user's mount without this, and refuses with it.
        variables[Unversioned.role] = role == .trial ? role.rawValue : nil
        variables[Variable.workingDirectory] = workingDirectory
        for (variable, field) in Self.descriptorFields {
            variables[variable] = self[keyPath: field].map { String($0.rawValue) }
        }
        if !stateLog.isEmpty {
            variables[Variable.stateLog] = stateLog.map { String($0.rawValue) }.joined(separator: ",")
        }
        variables[Variable.mountPoint] = mount?.path
        variables[Variable.mountDevice] = mount?.device
        variables[Variable.server] = server.map(String.init)
        return variables.map { "\($0.key)=\($0.value)" }
    }

    /// The open files, which have the same numbers in the new process.
    package var descriptors: [FileDescriptor] {
        Self.descriptorFields.compactMap { self[keyPath: $0.field] } + stateLog
    }

    // MARK: Receiving

    /// Returns `true` if another process of a mount has started a process with this environment.
    package static func isPresent(in environment: [String: String]) -> Bool {
        environment[Variable.role] != nil || environment[Unversioned.role] != nil
    }

    /// Takes the context out of `variables`, the environment of this process, so that its own children don't inherit
    /// it. Closes all other descriptors above the standard streams, because another process may wait for their closing.
    ///
    /// - Returns: `nil` if a user has started this process.
    /// - Throws: If the context has an unknown format. The supervisor has been told.
    package static func take(from variables: [String: String]) throws(MountError) -> ChildContext? {
        guard isPresent(in: variables) else { return nil }
        guard let context = ChildContext(parsing: variables) else { throw refuse(variables) }
        for variable in variables.keys where variable.hasPrefix(Variable.prefix) { unsetenv(variable) }
        unsetenv(Unversioned.role)
        context.closeOtherDescriptors()
        // If the folder is gone, no path can be relative to it.
        _ = chdir(context.workingDirectory)
        return context
    }

    /// Parses the variables; `nil` if their format is unknown.
    init?(parsing variables: [String: String]) {
        guard variables[Variable.format] == Self.format,
            let role = variables[Variable.role].flatMap(ProcessRole.init)
        else { return nil }
        self.role = role
        workingDirectory = variables[Variable.workingDirectory] ?? ""
        for (variable, field) in Self.descriptorFields { self[keyPath: field] = Self.descriptor(variables[variable]) }
        stateLog = (variables[Variable.stateLog] ?? "").split(separator: ",").compactMap(Self.descriptor)
        mount = variables[Variable.mountPoint].map {
            MountIdentity(path: $0, device: variables[Variable.mountDevice] ?? "")
        }
        server = variables[Variable.server].flatMap { Int32($0) }
    }

    private static func descriptor(_ number: (some StringProtocol)?) -> FileDescriptor? {
        number.flatMap { Int32($0) }.map { FileDescriptor(rawValue: $0) }
    }

    private func closeOtherDescriptors() {
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

    /// The variables of the first format, which had no number and told descriptors by position.
    private enum Unversioned {
        static let role = "TRACTFS_ROLE"
        static let descriptors = "TRACTFS_DESCRIPTORS"
        static let supervisorPosition = 1
    }

    /// Tells the supervisor that this program doesn't know the format of its context, and returns that as an error.
    static func refuse(_ variables: [String: String]) -> MountError {
        let positions = (variables[Unversioned.descriptors] ?? "").split(separator: ",")
        let unversioned = positions.dropFirst(Unversioned.supervisorPosition).first.map(String.init)
        let format = variables[Variable.format] ?? "1"
        let reason = "it does not know the format \(format) of the running version; unmount, and mount again"
        if let socket = descriptor(variables[Variable.supervisor] ?? unversioned) {
            ServerReport.failed(reason).send(over: socket)
        }
        return MountError(reason)
    }
}
