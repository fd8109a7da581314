import BlockCache
import FileSystem
import Glibc
import Logging
import Namespace
import StateLog
import Synchronization
import struct SystemPackage.Errno

/// Registers files on the local disk that contain whole objects as backing files, which the kernel reads without this
/// process.
///
/// All steps happen under one lock, including the calls of the device, which do not block: an open that decides the
/// source of an inode must not run concurrently with another such open, nor with the last release.
final class Passthrough: Sendable {
    /// The maximum number of backing files. Each takes three descriptors of this process: its own, and two of the
    /// cached object. With a limit of 1,024 descriptors, a quarter remains for connections and everything else. Inodes
    /// beyond the maximum are read through this process.
    static let backingFileCountMax = 256

    private struct State {
        var inodes = OpenInodes()
        /// The device; `nil` if the kernel does not support backing files, or was not asked.
        var device: (any BackingDevice)?
        /// `true` if the kernel has refused a file for a reason that applies to all files.
        var isRefused = false
        /// The number of opens that were answered with a backing file.
        var openCount = 0
        /// The unused backing files of an earlier process, which must be unregistered.
        var unused: [BackingID] = []

        /// The device, if it can register another file.
        var availableDevice: (any BackingDevice)? {
            isRefused || inodes.backingFileCount >= Passthrough.backingFileCountMax ? nil : device
        }
    }

    private let state = Mutex(State())
    private let log: StateLog?
    private let logger: Logger

    /// Creates an instance that registers no files before `begin`.
    ///
    /// - Parameter log: The log in which backing files are recorded for the next process (`restore`).
    init(log: StateLog? = nil, logger: Logger) {
        self.log = log
        self.logger = logger
    }

    /// Starts to register files, after the kernel has accepted passthrough.
    func begin(on device: any BackingDevice) {
        state.withLock { state in
            state.device = device
            for id in state.unused { device.unregisterBacking(id) }
            state.unused = []
        }
    }

    /// `true` if files can be registered, the number of backing files, and the number of opens that were answered with
    /// one.
    var counts: (isUsable: Bool, fileCount: Int, openCount: Int) {
        state.withLock { ($0.device != nil && !$0.isRefused, $0.inodes.backingFileCount, $0.openCount) }
    }

    /// Returns `true` if the next open of `inode` could use a backing file.
    func wantsFile(of inode: InodeID) -> Bool {
        state.withLock { $0.availableDevice != nil && !$0.inodes.contains(inode) }
    }

    /// Records a handle of `inode` before its open reply is sent, and decides its source. If the reply cannot be sent,
    /// `release` must follow.
    ///
    /// - Parameter file: The file that contains the object, if there is one.
    /// - Returns: The backing file; `nil` if reads go through this process.
    func open(_ inode: InodeID, _ handle: Handle, file: CompleteFile?) -> BackingID? {
        var refusal: Errno?
        let id = state.withLock { state in
            let device = state.availableDevice
            let id = state.inodes.open(inode, handle) {
                guard let file, let device else { return nil }
                do throws(Errno) {
                    let backing = Backing(id: try device.registerBacking(file.descriptor), file: file)
                    log?.write(backing.id, of: inode)
                    return backing
                } catch {
                    refusal = error
                    return nil
                }
            }
            if let refusal, Passthrough.concernsAllFiles(refusal) { state.isRefused = true }
            if id != nil { state.openCount += 1 }
            return id
        }
        if let refusal { log(refusal) }
        return id
    }

    /// Removes a handle of `inode` after FUSE_RELEASE, or if its open reply was not sent.
    func release(_ inode: InodeID, _ handle: Handle) {
        let backing = state.withLock { state in
            let backing = state.inodes.release(inode, handle)
            if let backing {
                // Must happen before the kernel may reuse the id.
                log?.remove(.backingFile, id: inode.rawValue)
                state.device?.unregisterBacking(backing.id)
            }
            return backing
        }
        // If this is the last reference, the file is closed here, outside of the lock.
        withExtendedLifetime(backing) {}
    }

    /// Returns `true` if no other file can be registered either: this process lacks CAP_SYS_ADMIN, the kernel does not
    /// support it, or the disk of the cache is a stacked file system (overlayfs).
    private static func concernsAllFiles(_ errno: Errno) -> Bool {
        [.notPermitted, .notSupportedOnSocket, .inappropriateIOCTLForDevice, .tooManySymbolicLinkLevels].contains(errno)
    }

    private func log(_ refusal: Errno) {
        if Passthrough.concernsAllFiles(refusal) {
            logger.info(
                "passthrough not available; reading cached files through this process",
                metadata: ["reason": "\(refusal)"])
        } else {
            logger.debug("backing file refused by the kernel", metadata: ["reason": "\(refusal)"])
        }
    }
}

// MARK: What the next process must know

extension Passthrough: StateOwner {
    /// Restores the backing files of an earlier process, for `handles` that are still open. Must be called first.
    ///
    /// - Parameter file: Returns the cached file of a handle, which marks it as in use.
    func restore(
        _ handles: [(handle: Handle, inode: InodeID)], file: (Handle) -> CompleteFile?
    ) throws(StateLogError) {
        guard let log else { return }
        let logged = try log.words(.backingFile)
        state.withLock { state in
            for (handle, inode) in handles {
                _ = state.inodes.open(inode, handle) {
                    guard let number = logged[inode.rawValue]?.first, let id = BackingID(logged: number) else {
                        return nil
                    }
                    return Backing(id: id, file: file(handle))
                }
            }
            // These files have no handle: they were registered but not opened yet, or their last handle was being
            // released.
            let used = Set(state.inodes.backingFiles.map(\.inode.rawValue))
            state.unused = logged.filter { !used.contains($0.key) }.values.compactMap {
                $0.first.flatMap(BackingID.init(logged:))
            }
            for inode in logged.keys where !used.contains(inode) { log.remove(.backingFile, id: inode) }
        }
        log.own([.backingFile], by: self)
    }

    func writeState(to log: StateLog) {
        state.withLock { state in
            for (inode, id) in state.inodes.backingFiles { log.write(id, of: inode) }
        }
    }
}

extension StateLog {
    fileprivate func write(_ id: BackingID, of inode: InodeID) {
        set(.backingFile, id: inode.rawValue, [UInt64(truncatingIfNeeded: id.rawValue)])
    }
}

extension BackingID {
    fileprivate init?(logged number: UInt64) {
        guard let id = Int32(exactly: number), id > 0 else { return nil }
        self.init(rawValue: id)
    }
}
