import CFuse
import FileSystem
import Glibc
import ObjectStore
import SystemPackage
import SystemSupport

extension OverlayFolder {
    /// Who owns the overlay's topmost folder, and who may enter it.
    public struct Owner: Sendable {
        let userID: UInt32
        let groupID: UInt32
        let permissions: UInt32

        /// That of a mount's folders, with these permissions.
        public init(userID: UInt32, groupID: UInt32, permissions: UInt32) {
            self.userID = userID
            self.groupID = groupID
            self.permissions = permissions
        }
    }

    /// Checks that what was written there before, if anything, was written to the same bucket.
    ///
    /// - Parameter bucket: What tells it from others, in a line.
    public func checkBelongs(to bucket: String) throws(MountError) {
        guard let earlier = notedBucket, earlier != bucket, holdsWrites else { return }
        throw MountError(
            "the overlay's folder \(path) has what was written to \(earlier), and not to \(bucket); give another one, or "
                + "remove \(upper) and \(work)")
    }

    /// Makes what isn't there yet. The topmost folder is the owner's from now on.
    public func prepare(for bucket: String, _ owner: Owner) throws(MountError) {
        do throws(Errno) {
            // First, so that what is there is always known to be ours.
            try note(bucket)
            let upper = try makeFolder(Name.upper)
            defer { close(upper) }
            try Self.check(fchown(upper, owner.userID, owner.groupID))
            try Self.check(fchmod(upper, owner.permissions))
            close(try makeFolder(Name.work))
        } catch {
            throw MountError("prepare the overlay's folder \(path)", error)
        }
    }

    /// Takes away what `prepare` has made, where nothing was written: a mount has failed.
    public func discardIfUnused() {
        for folder in ["\(Name.work)/work", "\(Name.work)/index", Name.work] { remove(folder, AT_REMOVEDIR) }
        if remove(Name.upper, AT_REMOVEDIR) { remove(Name.bucket, 0) }
    }

    @discardableResult
    private func remove(_ name: String, _ flags: CInt) -> Bool {
        unlinkat(descriptor.rawValue, name, flags) == 0
    }

    /// Opens a folder in this one, which is made if it isn't there, with the time of the mount's folders. Not what a link names: the
    /// user whose folder this is may have put one there.
    private func makeFolder(_ name: String) throws(Errno) -> CInt {
        let isNew = mkdirat(descriptor.rawValue, name, 0o700) == 0
        if !isNew, errno != EEXIST { throw Errno(rawValue: errno) }
        let folder = openat(descriptor.rawValue, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { throw Errno(rawValue: errno) }
        if isNew {
            let time = timespec(tv_sec: FileAttributes.directoryTime.seconds, tv_nsec: 0)
            futimens(folder, [time, time])
        }
        return folder
    }

    private static func check(_ result: CInt) throws(Errno) {
        if result != 0 { throw Errno(rawValue: errno) }
    }

    // MARK: Whose it is

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
