import Glibc
import SystemPackage
import SystemSupport

extension OverlayFolder {
    /// The owner and permissions of the overlay's root folder.
    public struct Owner: Sendable {
        let userID: UInt32
        let groupID: UInt32
        let permissions: UInt32

        /// Creates an owner with these IDs and permissions.
        public init(userID: UInt32, groupID: UInt32, permissions: UInt32) {
            self.userID = userID
            self.groupID = groupID
            self.permissions = permissions
        }
    }

    /// Checks that earlier writes, if any, were made to the same bucket.
    ///
    /// - Parameter bucket: A line that identifies the bucket.
    public func checkBelongs(to bucket: String) throws(MountError) {
        guard let earlier = notedBucket, earlier != bucket, holdsWrites else { return }
        throw MountError(
            "the overlay's folder \(path) has what was written to \(earlier), and not to \(bucket); give another one, or "
                + "remove \(upper) and \(work)")
    }

    /// Creates the missing files and folders, and gives the root folder to `owner`.
    ///
    /// - Parameter folderTime: The modification time of new folders, in seconds since 1970.
    public func prepare(for bucket: String, _ owner: Owner, folderTime: Int) throws(MountError) {
        do throws(Errno) {
            // Comes first, because this file marks the others as ours.
            try note(bucket)
            let upper = try makeFolder(Name.upper, folderTime)
            defer { close(upper) }
            try Self.check(fchown(upper, owner.userID, owner.groupID))
            try Self.check(fchmod(upper, owner.permissions))
            close(try makeFolder(Name.work, folderTime))
        } catch {
            throw MountError("prepare the overlay's folder \(path)", error)
        }
    }

    /// Removes the files and folders of `prepare` after a failed mount, unless they hold writes.
    public func discardIfUnused() {
        for folder in ["\(Name.work)/work", "\(Name.work)/index", Name.work] { remove(folder, AT_REMOVEDIR) }
        if remove(Name.upper, AT_REMOVEDIR) { remove(Name.bucket, 0) }
    }

    @discardableResult
    private func remove(_ name: String, _ flags: CInt) -> Bool {
        unlinkat(descriptor.rawValue, name, flags) == 0
    }

    /// Opens a folder in this one, and creates it if it is missing. Follows no symbolic link, which an unprivileged
    /// owner of this folder could have created.
    private func makeFolder(_ name: String, _ time: Int) throws(Errno) -> CInt {
        let isNew = mkdirat(descriptor.rawValue, name, 0o700) == 0
        if !isNew, errno != EEXIST { throw Errno(rawValue: errno) }
        let folder = openat(descriptor.rawValue, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { throw Errno(rawValue: errno) }
        if isNew {
            let time = timespec(tv_sec: time, tv_nsec: 0)
            futimens(folder, [time, time])
        }
        return folder
    }

    private static func check(_ result: CInt) throws(Errno) {
        if result != 0 { throw Errno(rawValue: errno) }
    }

    // MARK: The bucket

    private static let noteByteCountMax = 8 << 10

    private var notedBucket: String? {
        let file = openat(descriptor.rawValue, Name.bucket, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        guard let bytes = try? FileDescriptor(rawValue: file).readToEnd(limit: Self.noteByteCountMax) else {
            return nil
        }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private func note(_ bucket: String) throws(Errno) {
        if notedBucket == bucket { return }
        remove(Name.bucket, 0)
        let file = openat(
            descriptor.rawValue, Name.bucket, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Errno(rawValue: errno) }
        defer { close(file) }
        do { try FileDescriptor(rawValue: file).writeAll((bucket + "\n").utf8) } catch {
            throw error as? Errno ?? .ioError
        }
    }

    private var holdsWrites: Bool {
        !DirectoryEntries.names(in: "/proc/self/fd/\(descriptor.rawValue)/\(Name.upper)").isEmpty
    }
}
