import Glibc
public import SystemPackage
import SystemSupport

/// The mount that an overlay lies on, which has no place in the tree of folders. Our commands need it, because overlayfs passes no
/// ioctl(2) on. The process that supervises the mount gives it to them: it has the mounted /dev/fuse, of which the kernel makes
/// as many mounts as are wanted (Linux 5.15 and later).
public enum LowerMount {
    /// The timeout for the answer of the supervising process.
    private static let timeout: Duration = .seconds(5)

    /// Makes one more mount, with no place either, of what `device` is mounted for. It is the caller's to close; until then the file
    /// system lives on, also where it is unmounted.
    public static func make(of device: FileDescriptor) throws(Errno) -> FileDescriptor {
        let context = try FileSystemContext(ofType: "fuse")
        // All but the first only have to be there: the file system is the one that there is.
        let parameters = [
            ("fd", "\(device.rawValue)"), ("rootmode", "40000"), ("user_id", "\(geteuid())"),
            ("group_id", "\(getegid())"),
        ]
        for (key, value) in parameters { try context.set(key, to: value) }
        try context.create()
        return try context.mount(isReadOnly: true, forbidsExecution: true)
    }

    /// Listens for those who want it, in the overlay's folder.
    ///
    /// - Parameter allowsOthers: Whether other users than the one who mounts may use the mount (`--allow-other`).
    public static func listen(in folder: OverlayFolder, allowsOthers: Bool) throws(MountError) -> FileDescriptor {
        do throws(Errno) {
            return try LocalSocket.listen(
                OverlayFolder.Name.socket, in: folder.descriptor, permissions: allowsOthers ? 0o666 : 0o600)
        } catch {
            throw MountError("make a socket in the overlay's folder \(folder.path)", error)
        }
    }

    /// Nobody listens any more.
    public static func stopListening(in folder: OverlayFolder) {
        unlinkat(folder.descriptor.rawValue, OverlayFolder.Name.socket, 0)
    }

    /// Gives the mount to everybody who wants it and may have it, on a thread of its own, for as long as this process lives.
    public static func give(_ device: FileDescriptor, to socket: FileDescriptor, allowsOthers: Bool) {
        DetachedThread.start {
            while true {
                do throws(Errno) {
                    let connection = try LocalSocket.accept(socket)
                    defer { try? connection.close() }
                    try answer(connection, device, allowsOthers: allowsOthers)
                } catch {
                    // Whoever asked has gone, or hears nothing and says so. A lasting fault must not keep a processor busy.
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

    /// The answer's first four bytes: 0, or why there is no mount.
    private static func bytes(of failure: Errno?) -> [UInt8] {
        withUnsafeBytes(of: (failure?.rawValue ?? 0).littleEndian) { Array($0) }
    }

    // MARK: Asking

    /// How often is asked again: the process that gives it may become another version's just then.
    private static let attemptCountMax = 5

    /// Asks for the mount that the overlay with this upper folder lies on. It is the caller's to close.
    ///
    /// ENOTCONN where nobody gives it any more.
    static func ask(upper: String) throws(Errno) -> FileDescriptor {
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
        // The folder may be some user's, who could listen there in our place.
        if try LocalSocket.peerUser(of: connection) == 0 { return connection }
        try? connection.close()
        throw .permissionDenied
    }

    private typealias Message = (bytes: [UInt8], descriptor: FileDescriptor?)

    /// The answer; `nil` where the other side has closed.
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
