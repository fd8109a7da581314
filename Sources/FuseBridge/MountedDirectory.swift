public import BlockCache
import CFuse
public import FileSystem
import Glibc
import Mounting
public import Namespace
public import struct SystemPackage.Errno
public import struct SystemPackage.FileDescriptor

/// A directory of a mount, opened to ask the process that serves it for something.
///
/// All calls fail with ENOTTY where the directory is not in a mount of ours, or the mount is served by a version that
/// doesn't know the question. A directory in an overlay is asked for what lies below it: with ENXIO where that is nothing.
public struct MountedDirectory: ~Copyable, Sendable {
    private let descriptor: CInt

    /// Opens the directory at `path`.
    public init(_ path: String) throws(Errno) {
        try self.init(path: Array(path.utf8))
    }

    /// The same for a path whose bytes may be no text.
    public init(path: [UInt8]) throws(Errno) {
        let directory = open(path.map { CChar(bitPattern: $0) } + [0], O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw Errno(rawValue: errno) }
        guard let overlaid = OverlayDirectory(FileDescriptor(rawValue: directory)) else {
            descriptor = directory
            return
        }
        defer { close(directory) }
        descriptor = try overlaid.openLower().rawValue
    }

    /// Opens the directory `name`, or at a path, in another one; not what a symbolic link names. Much cheaper than by a whole path,
    /// since nobody needs to find out what is mounted there.
    public init(_ name: [UInt8], in directory: borrowing MountedDirectory) throws(Errno) {
        let path = name.map { CChar(bitPattern: $0) } + [0]
        descriptor = openat(directory.descriptor, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    }

    deinit {
        close(descriptor)
    }

    /// Who serves the mount, and who sees to it.
    public func supervision() throws(Errno) -> Supervision {
        var supervision = tractfs_supervision()
        try call(TRACTFS_IOCTL_SUPERVISION, &supervision)
        return Supervision(supervision)
    }

    /// Has the mount forget what was listed. When this returns nobody sees it any more.
    public func refresh(_ extent: Namespace.Extent) throws(Errno) {
        var number: UInt32 =
            switch extent {
            case .tree: 0
            case .directory: 1
            }
        try call(TRACTFS_IOCTL_REFRESH, &number)
    }

    /// Has the mount list all that is below the directory, for as long as this instance lives. Returns at once.
    public func beginWarming() throws(Errno) {
        var number: UInt32 = 0
        try call(TRACTFS_IOCTL_WARM, &number)
    }

    /// How far that is.
    public func warmStatus() throws(Errno) -> FileSystem.WarmStatus {
        var status = tractfs_warm_status()
        try call(TRACTFS_IOCTL_WARM_STATUS, &status)
        return FileSystem.WarmStatus(status)
    }

    /// Has the mount sign a URL for the file `name` in the directory.
    ///
    /// - Parameter lifetime: How long it is to work, in seconds.
    public func presign(_ name: [UInt8], lifetime: Int) throws(FileSystem.Failure) -> PresignedFile {
        var bytes = PresignQuestion(name: name, lifetime: lifetime).bytes
        let code = bytes.withUnsafeMutableBytes { tractfs_call(descriptor, TRACTFS_IOCTL_PRESIGN, $0.baseAddress) }
        guard code == 0 else { throw FileSystem.Failure(errno: Errno(rawValue: errno)) }
        return try PresignAnswer.file(bytes)
    }

    /// What the server says of itself and of the mount, as a JSON object (docs/STATUS.md).
    public func status() throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: TRACTFS_STATUS_BYTE_COUNT)
        let code = bytes.withUnsafeMutableBytes { tractfs_call(descriptor, TRACTFS_IOCTL_STATUS, $0.baseAddress) }
        guard code == 0 else { throw Errno(rawValue: errno) }
        return Array(bytes.prefix { $0 != 0 })
    }

    /// Asks about a file in it, or has a piece of it brought to the disk cache, and waits for that.
    public func fetch(_ question: FileSystem.FetchQuestion) throws(FileSystem.Failure) -> FileSystem.FetchAnswer {
        var bytes = FileMessages.bytes(question)
        let code = bytes.withUnsafeMutableBytes { tractfs_call(descriptor, TRACTFS_IOCTL_FILE, $0.baseAddress) }
        guard code == 0 else { throw FileSystem.Failure(errno: Errno(rawValue: errno)) }
        return try FileMessages.answer(bytes)
    }

    /// How much the disk cache can hold. ENODEV where there is none.
    public func cacheRoom() throws(Errno) -> DiskCache.Room {
        var room = tractfs_cache_room()
        try call(TRACTFS_IOCTL_CACHE_ROOM, &room)
        return DiskCache.Room(room)
    }

    /// Has evictions take what they were to leave: the file `name`, or all that is below the directory if it is empty.
    public func release(_ name: [UInt8]) throws(Errno) -> DiskCache.Release {
        var bytes = FileMessages.bytes(releasing: name)
        let code = bytes.withUnsafeMutableBytes { tractfs_call(descriptor, TRACTFS_IOCTL_RELEASE, $0.baseAddress) }
        guard code == 0 else { throw Errno(rawValue: errno) }
        return FileMessages.release(bytes)
    }

    /// What the server says of all that it has done, as a JSON object (docs/REPORT.md).
    public func report() throws(Errno) -> [UInt8] {
        var report: [UInt8] = []
        var page: ReportPage
        repeat {
            var bytes = ReportPage.question(offset: report.count)
            let code = bytes.withUnsafeMutableBytes { tractfs_call(descriptor, TRACTFS_IOCTL_REPORT, $0.baseAddress) }
            guard code == 0 else { throw Errno(rawValue: errno) }
            page = ReportPage(answer: bytes)
            report += page.bytes
        } while report.count < page.totalByteCount && !page.bytes.isEmpty
        return report
    }

    /// Its entries from the first one on. To be read once.
    public func entries() throws(Errno) -> Entries {
        try Entries(of: descriptor)
    }

    private func call(_ command: UInt, _ argument: UnsafeMutableRawPointer) throws(Errno) {
        guard tractfs_call(descriptor, command, argument) == 0 else { throw Errno(rawValue: errno) }
    }
}

extension MountedDirectory {
    /// What a directory has.
    public struct Entry {
        /// The name's bytes.
        public let name: [UInt8]
        /// Whether it is a directory; a file otherwise.
        public let isDirectory: Bool
    }

    /// The entries of a directory but "." and "..", in the order of their keys: that of a directory ends in "/".
    public struct Entries: ~Copyable {
        private let stream: OpaquePointer

        fileprivate init(of directory: CInt) throws(Errno) {
            // closedir(3) closes the copy.
            let copy = fcntl(directory, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0, let stream = fdopendir(copy) else { throw Errno(rawValue: errno) }
            self.stream = stream
        }

        deinit {
            closedir(stream)
        }

        /// The next entry; `nil` behind the last one.
        public mutating func next() throws(Errno) -> Entry? {
            while true {
                errno = 0
                guard let entry = readdir(stream) else {
                    if errno != 0 { throw Errno(rawValue: errno) }
                    return nil
                }
                let name = Self.name(of: entry)
                if name == Array(".".utf8) || name == Array("..".utf8) { continue }
                return Entry(name: name, isDirectory: entry.pointee.d_type == UInt8(DT_DIR))
            }
        }

        /// An entry is as long as its name, not as its type: nothing but the name may be read of `d_name`.
        private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
            guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return [] }
            let text = (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)
            return Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
        }
    }
}

extension FileSystem.WarmStatus {
    init(_ status: tractfs_warm_status) {
        let reason = withUnsafeBytes(of: status.reason) { bytes in
            String(decoding: bytes.prefix(Int(status.reason_byte_count)), as: UTF8.self)
        }
        let outcome: Result<Void, FileSystem.Failure>? =
            switch status.error {
            case EINPROGRESS: nil
            case 0: .success(())
            default: .failure(FileSystem.Failure(errno: Errno(rawValue: status.error), reason: reason))
            }
        self.init(
            keyCount: Int(clamping: status.key_count), pageCount: Int(clamping: status.page_count), outcome: outcome)
    }
}
