import Glibc
import SystemPackage
import SystemSupport

/// fusermount3(1), the set-user-ID helper that mounts and unmounts for unprivileged users, or fusermount(1), which does
/// the same where only version 2 of FUSE is installed.
enum Fusermount {
    /// The system's folders. They come before those of `PATH`, in which an environment of conda may have a helper that
    /// does not run as root.
    private static let systemFolders = ["/usr/local/bin", "/usr/bin", "/bin"]
    /// The path of the installed helper; `nil` if there is none.
    private static let installed = path(inPATH: getenv("PATH").map { String(cString: $0) } ?? "")
    private static let program = installed ?? "fusermount3"

    /// Returns the path of the helper in the system's folders or in those of `PATH`; `nil` if there is none.
    static func path(inPATH variable: String, systemFolders: [String] = systemFolders) -> String? {
        let folders = systemFolders + variable.split(separator: ":").map(String.init)
        return ["fusermount3", "fusermount"].lazy.flatMap { name in folders.lazy.map { "\($0)/\(name)" } }
            .first { access($0, X_OK) == 0 }
    }

    /// Mounts, and returns the mounted /dev/fuse. The helper sends it over a socket whose number is in its environment.
    static func mount(at path: String, options: String) throws(MountError) -> CInt {
        var sockets: [CInt] = [0, 0]
        guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0, &sockets) == 0 else {
            throw MountError("make a socket pair", Errno(rawValue: errno))
        }
        defer { close(sockets[0]) }
        let helper: Helper
        do {
            defer { close(sockets[1]) }
            helper = try Helper(["-o", options, "--", path], socket: sockets[1])
        }
        let message = try? MessageSocket.receive(over: FileDescriptor(rawValue: sockets[0]))
        let complaint = helper.waitForEnd()
        guard let device = message?.descriptor else { throw MountError(hint(for: complaint)) }
        return device.rawValue
    }

    /// Unmounts lazily.
    static func unmount(_ path: String) throws(MountError) {
        let helper = try Helper(["-u", "-z", "--", path], socket: nil)
        if let complaint = helper.waitForEnd() { throw MountError(complaint) }
    }

    /// Returns the reason that it can't mount for this process; `nil` if none is visible without trying.
    ///
    /// - Parameter allowsOthers: `true` if the mount is for other users as well.
    static func problem(allowsOthers: Bool) -> MountError? {
        guard let path = installed else {
            return missing(because: Errno.noSuchFileOrDirectory)
        }
        var status = stat()
        guard stat(path, &status) == 0, status.st_uid == 0, status.st_mode & 0o4000 != 0 else {
            return MountError(
                "\(path) doesn't run as root, and so can't mount; have root correct that with: chmod u+s \(path)")
        }
        if access("/dev/fuse", R_OK | W_OK) != 0 { return MountError(deviceHint) }
        return allowsOthers && !allowsOtherUsers ? MountError(allowOtherHint) : nil
    }

    /// `true` if fuse.conf(5) permits users to mount for others.
    private static var allowsOtherUsers: Bool {
        (SystemFile.text("/etc/fuse.conf", limit: 65_536) ?? "").split(separator: "\n")
            .contains { $0.split(whereSeparator: \.isWhitespace) == ["user_allow_other"] }
    }

    private static let allowOtherHint =
        "--allow-other needs the line \"user_allow_other\" in /etc/fuse.conf, or root"
    private static let deviceHint = "you may not open /dev/fuse; have root allow it with: chmod 666 /dev/fuse"

    private static func missing(because error: Errno) -> MountError {
        MountError("\(program) can't be started (\(error)); install it with: apt-get install fuse3, or mount as root")
    }

    private static let confinementHint =
        "fusermount3 may not mount there, perhaps because of AppArmor; mount below your home, /mnt, /media or /tmp, or as root"

    /// Returns the message for the user in place of fusermount3's own.
    static func hint(for complaint: String?) -> String {
        let complaint = complaint ?? "\(program) mounted nothing"
        if complaint.contains("user_allow_other") {
            return allowOtherHint
        }
        if complaint.contains("failed to open /dev/fuse: Permission denied") {
            return deviceHint
        }
        // fusermount3 checks the folder's owner and permissions before it mounts.
        if complaint.contains("mount failed: Permission denied") { return "\(confinementHint) (\(complaint))" }
        return complaint
    }

    /// A running helper.
    private struct Helper {
        private let process: ChildProcess
        private let standardError: FileDescriptor

        /// Starts the helper, which inherits `socket`.
        init(_ arguments: [String], socket: CInt?) throws(MountError) {
            guard let installed else { throw missing(because: Errno.noSuchFileOrDirectory) }
            let pipe: (readEnd: FileDescriptor, writeEnd: FileDescriptor)
            do { pipe = try FileDescriptor.closeOnExecPipe() } catch { throw MountError("make a pipe", error) }
            defer { try? pipe.writeEnd.close() }
            var inheriting = [ChildProcess.Inheritance(pipe.writeEnd, as: STDERR_FILENO)]
            var environment = ["PATH=\(systemFolders.joined(separator: ":"))", "LC_ALL=C"]
            if let socket {
                inheriting.append(ChildProcess.Inheritance(FileDescriptor(rawValue: socket), as: socket))
                environment.append("_FUSE_COMMFD=\(socket)")
            }
            do {
                process = try ChildProcess(installed, arguments, environment: environment, inheriting: inheriting)
            } catch {
                try? pipe.readEnd.close()
                throw missing(because: error)
            }
            standardError = pipe.readEnd
        }

        /// Returns the helper's error message; `nil` if it succeeded.
        func waitForEnd() -> String? {
            let text = (try? standardError.readToEnd(limit: 65_536)) ?? []
            try? standardError.close()
            let end = process.waitForEnd()
            if end == .exited(status: 0) { return nil }
            let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
            return lines.first.map(String.init) ?? "\(program) failed: \(end)"
        }
    }
}
