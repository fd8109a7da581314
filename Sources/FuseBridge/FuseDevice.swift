import CFuse
import Glibc
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
    /// A request's header (`struct fuse_in_header`), and what of it is looked at.
    private enum Request {
        static let headerByteCount = 40
        static let opcodeOffset = 4
        static let uniqueOffset = 8
        /// FUSE_FORGET, FUSE_INTERRUPT and FUSE_BATCH_FORGET: nobody waits for an answer to these.
        static let unanswered: Set<UInt32> = [2, 36, 42]
    }

    /// The kernel wants to be offered room for the longest request that was agreed on, and for its head.
    private static let requestByteCountMax = FuseSession.readByteCountLimit + (64 << 10)

    /// Answers EIO to all requests that come, for as long as `isNeeded`, which is asked again every few milliseconds. For a
    /// mount that nobody serves any more, while something still waits in the kernel for one of its requests to end.
    func refuseRequests(while isNeeded: () -> Bool) {
        withUnsafeTemporaryAllocation(byteCount: Self.requestByteCountMax, alignment: 8) { buffer in
            var readiness = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            while isNeeded() {
                guard poll(&readiness, 1, 10) > 0 else { continue }
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count >= Request.headerByteCount {
                    refuse(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                } else if count == 0 || errno == ENODEV {
                    // The mount has ended, and all its requests with it.
                    return
                }
            }
        }
    }

    private func refuse(_ request: UnsafeRawBufferPointer) {
        let opcode = request.loadUnaligned(fromByteOffset: Request.opcodeOffset, as: UInt32.self)
        if Request.unanswered.contains(opcode) { return }
        var reply = Refusal(of: request.loadUnaligned(fromByteOffset: Request.uniqueOffset, as: UInt64.self))
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
