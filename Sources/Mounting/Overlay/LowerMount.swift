import Glibc
public import SystemPackage
import SystemSupport

/// The mount below an overlay, which has no mount point. Our commands need it, because overlayfs forwards no ioctl(2).
/// The supervisor sends it to them over a socket: it has the mounted /dev/fuse, of which the kernel makes any number of
/// mounts (Linux 5.15 and later).
public enum LowerMount {
    /// The timeout for the answer of the supervisor.
    private static let timeout: Duration = .seconds(5)

    /// Makes another mount of `device`, also without a mount point. The caller must close it. Until then the file
    /// system stays alive even if it is unmounted.
    public static func make(of device: FileDescriptor) throws(Errno) -> FileDescriptor {
        let context = try FileSystemContext(ofType: "fuse")
        // The kernel requires all of them and ignores all but the first, since the file system exists already.
        let parameters = [
            ("fd", "\(device.rawValue)"), ("rootmode", "40000"), ("user_id", "\(geteuid())"),
            ("group_id", "\(getegid())"),
        ]
        for (key, value) in parameters { try context.set(key, to: value) }
        try context.create()
        return try context.mount(isReadOnly: true, forbidsExecution: true)
    }

    // MARK: Supervisor

    /// Listens for commands on a socket in the overlay's folder.
    ///
    /// - Parameter allowsOthers: `true` if users other than the mounting user may use the mount (`--allow-other`).
    public static func listen(in folder: OverlayFolder, allowsOthers: Bool) throws(MountError) -> FileDescriptor {
        do throws(Errno) {
            return try LocalSocket.listen(
                OverlayFolder.Name.socket, in: folder.descriptor, permissions: allowsOthers ? 0o666 : 0o600)
        } catch {
            throw MountError("make a socket in the overlay's folder \(folder.path)", error)
        }
    }

    /// Removes the socket from the overlay's folder.
    public static func stopListening(in folder: OverlayFolder) {
        unlinkat(folder.descriptor.rawValue, OverlayFolder.Name.socket, 0)
    }

    /// Sends the mount to every command that connects and has the right to use it, on a thread that lasts as long as
    /// the process.
    public static func serve(_ device: FileDescriptor, over socket: FileDescriptor, allowsOthers: Bool) {
        DetachedThread.start {
            while true {
                do throws(Errno) {
                    let connection = try LocalSocket.accept(socket)
                    defer { try? connection.close() }
                    try answer(connection, device, allowsOthers: allowsOthers)
                } catch {
                    // The command reports the error. The pause keeps a lasting one from occupying a processor.
                    usleep(10_000)
                }
            }
        }
    }

    private static func answer(
        _ connection: FileDescriptor, _ device: FileDescriptor, allowsOthers: Bool
    ) throws(Errno) {
        let user = try LocalSocket.peerUser(of: connection)
        guard user == 0 || user == geteuid() || allowsOthers else {
            return try MessageSocket.send(bytes(of: .permissionDenied), over: connection)
        }
        let mount: FileDescriptor
        do throws(Errno) { mount = try make(of: device) } catch {
            return try MessageSocket.send(bytes(of: error), over: connection)
        }
        defer { try? mount.close() }
        try MessageSocket.send(bytes(of: nil), mount, over: connection)
    }

    /// Encodes the first four bytes of an answer: an errno, or 0 for a mount.
    private static func bytes(of failure: Errno?) -> [UInt8] {
        withUnsafeBytes(of: (failure?.rawValue ?? 0).littleEndian) { Array($0) }
    }

    // MARK: Command

    /// The most requests. One fails if the supervisor is just being replaced by another version.
    private static let attemptCountMax = 5

    /// Requests the mount below the overlay with this upper folder. The caller must close it.
    ///
    /// - Throws: ENOTCONN if no supervisor listens.
    static func request(upper: String) throws(Errno) -> FileDescriptor {
        let folder = open(FilePath(upper).removingLastComponent().string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Errno(rawValue: errno) }
        defer { close(folder) }
        for _ in 0..<attemptCountMax {
            let connection = try connect(in: FileDescriptor(rawValue: folder))
            defer { try? connection.close() }
            if let message = try receive(over: connection) { return try mount(in: message) }
            usleep(50_000)
        }
        throw Errno(rawValue: ENOTCONN)
    }

    private static func connect(in folder: FileDescriptor) throws(Errno) -> FileDescriptor {
        let connection: FileDescriptor
        do throws(Errno) {
            connection = try LocalSocket.connect(to: OverlayFolder.Name.socket, in: folder, timeout: timeout)
        } catch {
            let isGone = error == .connectionRefused || error == .noSuchFileOrDirectory
            throw isGone ? Errno(rawValue: ENOTCONN) : error
        }
        // An unprivileged owner of the folder could listen there in place of the supervisor.
        if try LocalSocket.peerUser(of: connection) == 0 { return connection }
        try? connection.close()
        throw .permissionDenied
    }

    private typealias Message = (bytes: [UInt8], descriptor: FileDescriptor?)

    /// Receives the answer; `nil` if the other side has closed the connection.
    private static func receive(over connection: FileDescriptor) throws(Errno) -> Message? {
        do throws(Errno) {
            return try MessageSocket.receive(over: connection)
        } catch {
            if error == .connectionReset { return nil }
            throw error
        }
    }

    private static func mount(in message: Message) throws(Errno) -> FileDescriptor {
        if let mount = message.descriptor { return mount }
        let code = message.bytes.prefix(4).reversed().reduce(Int32(0)) { $0 << 8 | Int32($1) }
        throw Errno(rawValue: code)
    }
}
