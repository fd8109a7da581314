import CFuse
import Glibc
import Mounting
import struct SystemPackage.Errno
import struct SystemPackage.FileDescriptor

/// The descriptor of a mounted /dev/fuse, which is open while the session exists.
struct FuseDevice {
    let descriptor: CInt
}

extension FuseDevice: BackingDevice {
    func registerBacking(_ file: FileDescriptor) throws(Errno) -> BackingID {
        let id = tractfs_backing_open(descriptor, file.rawValue)
        guard id > 0 else { throw Errno(rawValue: errno) }
        return BackingID(rawValue: id)
    }

    func unregisterBacking(_ id: BackingID) {
        // This fails only for an id that is not registered.
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
    /// The buffer size that the kernel requires: the largest negotiated request and its header.
    private static let requestByteCountMax = MountedDevice.readByteCountLimit + (64 << 10)

    /// Replies EIO to all requests while `isNeeded`, which is called again every few milliseconds, returns `true`. For
    /// a mount without a server, while a thread in the kernel still waits for one of its requests.
    func refuseRequests(while isNeeded: () -> Bool) {
        withUnsafeTemporaryAllocation(byteCount: Self.requestByteCountMax, alignment: 8) { buffer in
            var readiness = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            while isNeeded() {
                guard poll(&readiness, 1, 10) > 0 else { continue }
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count > 0, let head = RequestHead(UnsafeRawBufferPointer(rebasing: buffer[..<count])) {
                    refuse(head)
                } else if count == 0 || errno == ENODEV {
                    // The mount has ended, and with it all its requests.
                    return
                }
            }
        }
    }

    private func refuse(_ request: RequestHead) {
        guard request.expectsReply else { return }
        var reply = Refusal(of: request.unique)
        _ = write(descriptor, &reply, MemoryLayout.size(ofValue: reply))
    }

    /// The header of a reply with EIO (`struct fuse_out_header`).
    private struct Refusal {
        let byteCount = UInt32(16)
        let error = -EIO
        let unique: UInt64

        init(of unique: UInt64) {
            self.unique = unique
        }
    }
}
