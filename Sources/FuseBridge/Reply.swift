import CFuse
import FileSystem
import Glibc
import Namespace
import ObjectStore
import Reader
import struct SystemPackage.Errno
import SystemSupport

/// The one reply that a request is owed. It can't be copied, so it can't be sent twice; one that is dropped answers EIO, so
/// that no application waits for good.
///
/// Sending may fail, when the request was interrupted or the mount ended: that matters only for replies that make the
/// kernel count a lookup, which say whether they were sent.
struct Reply: ~Copyable, @unchecked Sendable {
    // Unchecked because it is a C pointer: libfuse lets any thread reply to a request (fuse_lowlevel.h), and being
    // uncopyable sees to it that only one thread has it.
    private let request: fuse_req_t

    init(to request: fuse_req_t) {
        self.request = request
    }

    deinit {
        fuse_reply_err(request, EIO)
    }

    /// Takes the request out, which is then answered by the caller.
    private consuming func claim() -> fuse_req_t {
        let request = request
        discard self
        return request
    }

    /// The request, for asking libfuse about it while it isn't answered.
    borrowing func withRequest<R>(_ body: (fuse_req_t) -> R) -> R {
        body(request)
    }

    /// Sends, by `send`, what `operation` returns, or the error that it throws.
    consuming func answer<Value>(
        _ send: (consuming Reply, Value) -> Void, with operation: () throws(Errno) -> Value
    ) {
        let value: Value
        do throws(Errno) {
            value = try operation()
        } catch {
            self.send(error)
            return
        }
        send(self, value)
    }

    /// Success without a value, or an error.
    consuming func send(_ errno: Errno?) {
        fuse_reply_err(claim(), errno?.rawValue ?? 0)
    }

    /// Nothing to say: the kernel waits for no answer (FUSE_FORGET).
    consuming func sendNothing() {
        fuse_reply_none(claim())
    }

    consuming func send(_ attributes: FileAttributes) {
        var status = stat(attributes)
        fuse_reply_attr(claim(), &status, KernelTimeout.unlimited)
    }

    /// Answers a lookup. Returns whether the kernel has heard of it.
    ///
    /// - Parameters:
    ///   - nameTimeoutLimit: The longest time that the kernel may keep a name, in seconds.
    ///   - absenceTimeoutLimit: The same for an absence.
    consuming func send(
        _ lookup: FileSystem.Lookup, nameTimeoutLimit: Double, absenceTimeoutLimit: Double
    ) -> Bool {
        var parameter = lookup.entry.map { fuse_entry_param($0) } ?? fuse_entry_param()
        let timeout = KernelTimeout.seconds(lookup.nameTimeout)
        parameter.entry_timeout = min(timeout, lookup.entry == nil ? absenceTimeoutLimit : nameTimeoutLimit)
        return fuse_reply_entry(claim(), &parameter) == 0
    }

    /// Answers an open of a directory. Returns whether it was sent.
    consuming func send(
        _ opened: FileSystem.OpenedDirectory, opening directory: UnsafeMutablePointer<fuse_file_info>
    ) -> Bool {
        directory.pointee.fh = opened.handle.rawValue
        directory.pointee.cache_readdir = opened.isCopied ? 1 : 0
        directory.pointee.keep_cache = opened.keepsCopy ? 1 : 0
        return fuse_reply_open(claim(), directory) == 0
    }

    /// Answers an open of a file. Returns whether it was sent.
    consuming func send(_ opened: tractfs_open_reply) -> Bool {
        let request = claim()
        // As bytes, because fuse_reply_open of libfuse 3.14 knows no backing files.
        return withUnsafeBytes(of: opened) { bytes in
            fuse_reply_buf(request, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count) == 0
        }
    }

    /// No bytes: the end of a file.
    consuming func sendEndOfFile() {
        fuse_reply_buf(claim(), nil, 0)
    }

    /// Sends what `fill` writes into a buffer of `limit` bytes. Returns whether it was sent.
    ///
    /// - Parameter fill: Gets the request, for libfuse's functions that write into such buffers, and returns how many bytes
    ///   it has written.
    consuming func send(upTo limit: Int, fill: (fuse_req_t, UnsafeMutableRawBufferPointer) -> Int) -> Bool {
        let request = claim()
        return withUnsafeTemporaryAllocation(byteCount: limit, alignment: MemoryLayout<UInt64>.alignment) { buffer in
            let byteCount = fill(request, buffer)
            return fuse_reply_buf(request, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), byteCount) == 0
        }
    }

    /// Sends bytes from where they lie. The kernel copies them during the call.
    consuming func send(_ bytes: ReadBytes) {
        let request = claim()
        bytes.withSegments { segments in
            withUnsafeTemporaryAllocation(of: iovec.self, capacity: segments.count) { vectors in
                for (index, segment) in segments.enumerated() {
                    let base = UnsafeMutableRawPointer(mutating: segment.baseAddress)
                    vectors.initializeElement(at: index, to: iovec(iov_base: base, iov_len: segment.count))
                }
                _ = fuse_reply_iov(request, vectors.baseAddress, CInt(segments.count))
            }
        }
    }

    /// Answers getxattr and listxattr, which ask for the size first (`limit` 0), then for the value.
    consuming func send(attribute value: [UInt8], limit: Int) {
        if limit == 0 {
            fuse_reply_xattr(claim(), value.count)
        } else if value.count > limit {
            send(Errno(rawValue: ERANGE))
        } else {
            let request = claim()
            value.withUnsafeBytes { bytes in
                _ = fuse_reply_buf(request, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
            }
        }
    }

    consuming func send(_ capacity: FileSystemCapacity) {
        var statistics = statvfs()
        statistics.f_bsize = UInt(capacity.blockByteCount)
        statistics.f_frsize = UInt(capacity.blockByteCount)
        statistics.f_blocks = UInt(capacity.blockCount)
        statistics.f_bfree = UInt(capacity.blockCount)
        statistics.f_bavail = UInt(capacity.blockCount)
        statistics.f_files = UInt(capacity.fileCount)
        statistics.f_ffree = UInt(capacity.fileCount)
        statistics.f_favail = UInt(capacity.fileCount)
        statistics.f_namemax = UInt(capacity.nameByteCountLimit)
        fuse_reply_statfs(claim(), &statistics)
    }

    /// Answers an ioctl, with what it gives back.
    consuming func send(ioctl output: some BitwiseCopyable) {
        let request = claim()
        withUnsafeBytes(of: output) { bytes in
            _ = fuse_reply_ioctl(request, 0, bytes.baseAddress, bytes.count)
        }
    }

    /// Answers an ioctl, with bytes that it gives back.
    consuming func send(ioctlBytes bytes: [UInt8]) {
        fuse_reply_ioctl(claim(), 0, bytes, bytes.count)
    }

    /// Answers an ioctl that gives nothing back, with success or an error.
    consuming func send(ioctlResult errno: Errno?) {
        if let errno { return send(errno) }
        fuse_reply_ioctl(claim(), 0, nil, 0)
    }
}

/// How long the kernel may keep what it was told, in seconds, as libfuse takes it.
enum KernelTimeout {
    /// For what never changes: a year. (The kernel turns seconds into jiffies, so "for good" has to be a number.)
    static let unlimited = 365.0 * 24 * 60 * 60

    /// A timeout; `nil` never ends.
    static func seconds(_ duration: Duration?) -> Double {
        guard let duration else { return unlimited }
        let (seconds, attoseconds) = duration.components
        return min(Double(seconds) + Double(attoseconds) * 1e-18, unlimited)
    }
}

extension stat {
    init(_ attributes: FileAttributes) {
        self.init()
        st_ino = UInt(attributes.inodeNumber)
        st_mode = (attributes.isDirectory ? S_IFDIR : S_IFREG) | attributes.permissions
        // 1 also for directories: "unknown" to tools that count subdirectories by it (find -noleaf).
        st_nlink = 1
        st_uid = attributes.userID
        st_gid = attributes.groupID
        st_size = attributes.byteCount
        st_blocks = attributes.blockCount
        st_blksize = FileAttributes.preferredReadByteCount
        let time = timespec(tv_sec: attributes.modified.seconds, tv_nsec: attributes.modified.nanoseconds)
        st_mtim = time
        st_ctim = time
        st_atim = time
    }
}

extension fuse_entry_param {
    /// An inode, whose attributes never change; how long its name holds is set by the caller.
    init(_ entry: FileSystem.Entry) {
        self.init()
        ino = entry.id.rawValue
        attr = stat(entry.attributes)
        attr_timeout = KernelTimeout.unlimited
    }
}
