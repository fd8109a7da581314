import CFuse
import FileSystem
import Glibc
import Namespace
import ObjectStore
import Reader
import struct SystemPackage.Errno
import SystemSupport

/// The reply to a request. It cannot be copied, so it cannot be sent twice. A reply that is dropped sends EIO, so that
/// no application waits forever.
///
/// Sending fails if the request was interrupted or the mount has ended. This matters only for replies that make the
/// kernel count a lookup; they return whether they were sent.
struct Reply: ~Copyable, @unchecked Sendable {
    // Unchecked because of the C pointer: libfuse allows replies from any thread (fuse_lowlevel.h), and only one thread
    // at a time has the noncopyable value.
    private let request: fuse_req_t

    init(to request: fuse_req_t) {
        self.request = request
    }

    deinit {
        fuse_reply_err(request, EIO)
    }

    /// Takes the request, which the caller must answer.
    private consuming func claim() -> fuse_req_t {
        let request = request
        discard self
        return request
    }

    /// Calls `body` with the request, which is not answered yet.
    borrowing func withRequest<R>(_ body: (fuse_req_t) -> R) -> R {
        body(request)
    }

    /// Calls `send` with the result of `operation`, or replies with the error that it throws.
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

    /// Sends success without a value, or an error.
    consuming func send(_ errno: Errno?) {
        fuse_reply_err(claim(), errno?.rawValue ?? 0)
    }

    /// Ends a request that has no reply (FUSE_FORGET).
    consuming func sendNothing() {
        fuse_reply_none(claim())
    }

    consuming func send(_ attributes: FileAttributes) {
        var status = stat(attributes)
        fuse_reply_attr(claim(), &status, KernelTimeout.unlimited)
    }

    /// Sends the reply to a lookup. Returns `true` if the kernel has received it.
    ///
    /// - Parameters:
    ///   - nameTimeoutLimit: The longest time for which the kernel may cache a name, in seconds.
    ///   - negativeTimeoutLimit: The longest time for which the kernel may cache a negative entry, in seconds.
    consuming func send(
        _ lookup: FileSystem.Lookup, nameTimeoutLimit: Double, negativeTimeoutLimit: Double
    ) -> Bool {
        var parameter = lookup.entry.map { fuse_entry_param($0) } ?? fuse_entry_param()
        let timeout = KernelTimeout.seconds(lookup.nameTimeout)
        parameter.entry_timeout = min(timeout, lookup.entry == nil ? negativeTimeoutLimit : nameTimeoutLimit)
        return fuse_reply_entry(claim(), &parameter) == 0
    }

    /// Sends the reply to an open of a directory. Returns `true` if it was sent.
    consuming func send(
        _ opened: FileSystem.OpenedDirectory, opening directory: UnsafeMutablePointer<fuse_file_info>
    ) -> Bool {
        directory.pointee.fh = opened.handle.rawValue
        directory.pointee.cache_readdir = opened.isCopied ? 1 : 0
        directory.pointee.keep_cache = opened.keepsCopy ? 1 : 0
        return fuse_reply_open(claim(), directory) == 0
    }

    /// Sends the reply to an open of a file. Returns `true` if it was sent.
    consuming func send(_ opened: tractfs_open_reply) -> Bool {
        let request = claim()
        // As bytes, since fuse_reply_open of libfuse 3.14 does not support backing files.
        return withUnsafeBytes(of: opened) { bytes in
            fuse_reply_buf(request, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count) == 0
        }
    }

    /// Sends no bytes, which means the end of the file.
    consuming func sendEndOfFile() {
        fuse_reply_buf(claim(), nil, 0)
    }

    /// Sends the bytes that `fill` writes into a buffer of `limit` bytes. Returns `true` if they were sent.
    ///
    /// - Parameter fill: Receives the request, for libfuse's functions that write into such buffers. Returns the number
    ///   of bytes.
    consuming func send(upTo limit: Int, fill: (fuse_req_t, UnsafeMutableRawBufferPointer) -> Int) -> Bool {
        let request = claim()
        return withUnsafeTemporaryAllocation(byteCount: limit, alignment: MemoryLayout<UInt64>.alignment) { buffer in
            let byteCount = fill(request, buffer)
            return fuse_reply_buf(request, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), byteCount) == 0
        }
    }

    /// Sends bytes without copying them first. The kernel copies them during the call.
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

    /// Sends the reply to getxattr or listxattr, which ask for the size first (`limit` 0), then for the value.
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

    /// Sends the reply to an ioctl, with the bytes that it returns to the caller.
    consuming func send(ioctlBytes bytes: [UInt8]) {
        fuse_reply_ioctl(claim(), 0, bytes, bytes.count)
    }
}

extension stat {
    init(_ attributes: FileAttributes) {
        self.init()
        st_ino = UInt(attributes.inodeNumber)
        st_mode = (attributes.isDirectory ? S_IFDIR : S_IFREG) | attributes.permissions
        // 1 even for directories, which tells tools that count subdirectories by it (find -noleaf) that the count is
        // unknown.
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
    /// Creates the parameters of an inode, whose attributes never change. The caller sets the timeout of its name.
    init(_ entry: FileSystem.Entry) {
        self.init()
        ino = entry.id.rawValue
        attr = stat(entry.attributes)
        attr_timeout = KernelTimeout.unlimited
    }
}
