import CFuse
import Glibc
import Mounting
import struct SystemPackage.Errno
import struct SystemPackage.FileDescriptor

/// A mounted /dev/fuse, which is open as long as the session lives.
struct FuseDevice {
    let descriptor: CInt
}

extension FuseDevice: BackingDevice {
    func lend(_ file: FileDescriptor) throws(Errno) -> BackingID {
        let id = tractfs_backing_open(descriptor, file.rawValue)
        guard id > 0 else { throw Errno(rawValue: errno) }
        return BackingID(rawValue: id)
    }

    func takeBack(_ id: BackingID) {
        // It can only fail for an id that isn't lent.
        _ = tractfs_backing_close(descriptor, id.rawValue)
    }
}

extension FuseDevice: NotificationDevice {
    func notify(_ notification: KernelNotification) throws(Errno) {
        let bytes = notification.bytes
        guard write(descriptor, bytes, bytes.count) == bytes.count else { throw Errno(rawValue: errno) }
    }
}

extension FuseDevice {
    /// The kernel wants to be offered room for the longest request that was agreed on, and for its head.
    private static let requestByteCountMax = MountedDevice.readByteCountLimit + (64 << 10)

    /// Answers EIO to all requests that come, for as long as `isNeeded`, which is asked again every few milliseconds. For a
    /// mount that nobody serves any more, while something still waits in the kernel for one of its requests to end.
    func refuseRequests(while isNeeded: () -> Bool) {
        withUnsafeTemporaryAllocation(byteCount: Self.requestByteCountMax, alignment: 8) { buffer in
            var readiness = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            while isNeeded() {
                guard poll(&readiness, 1, 10) > 0 else { continue }
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count > 0, let head = RequestHead(UnsafeRawBufferPointer(rebasing: buffer[..<count])) {
                    refuse(head)
                } else if count == 0 || errno == ENODEV {
                    // The mount has ended, and all its requests with it.
                    return
                }
            }
        }
    }

    private func refuse(_ request: RequestHead) {
        guard request.isOwedAnswer else { return }
        var reply = Refusal(of: request.unique)
        _ = write(descriptor, &reply, MemoryLayout.size(ofValue: reply))
    }

    /// The head of a reply that says EIO (`struct fuse_out_header`).
    private struct Refusal {
        let byteCount = UInt32(16)
        let error = -EIO
        let unique: UInt64

        init(of unique: UInt64) {
            self.unique = unique
        }
    }
}
