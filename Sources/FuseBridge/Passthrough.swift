import BlockCache
import FileSystem
import Glibc
import Logging
import Namespace
import StateLog
import Synchronization
import struct SystemPackage.Errno

/// Lends the kernel files of the local disk that hold whole objects, so that reads of them don't come to us at all.
///
/// All of it happens under one lock, the calls of the device included, which wait for nothing: an open that decides how an
/// inode is read must not meet another one that is about to decide otherwise, nor the release that ends the matter.
final class Passthrough: Sendable {
    /// How many files may be lent at a time. Each takes three of our open descriptors, its own and the two of the cache's
    /// object; where a process may have no more than 1,024, a quarter of them is left for connections and all else. Inodes
    /// beyond are read through us.
    static let lentFileCountMax = 256

    private struct State {
        var inodes = OpenInodes()
        /// Who is lent files; `nil` where the kernel can't, or wasn't asked.
        var device: (any BackingDevice)?
        /// Whether the kernel has refused a file for a reason that all others have too.
        var isRefused = false
        /// How many opens were told to read a lent file.
        var openCount = 0
        /// What a process before had lent, and nobody reads: to be taken back.
        var unused: [BackingID] = []

        /// Who can be lent one file more.
        var borrower: (any BackingDevice)? {
            isRefused || inodes.lentCount >= Passthrough.lentFileCountMax ? nil : device
        }
    }

    private let state = Mutex(State())
    private let log: StateLog?
    private let logger: Logger

    /// Nothing is lent before `begin`.
    ///
    /// - Parameter log: Where it is written what is lent, for the next process (`restore`).
    init(log: StateLog? = nil, logger: Logger) {
        self.log = log
        self.logger = logger
    }

    /// The kernel has agreed to be lent files.
    func begin(on device: any BackingDevice) {
        state.withLock { state in
            state.device = device
            for id in state.unused { device.takeBack(id) }
            state.unused = []
        }
    }

    /// Whether files are lent at all, how many are just now, and how many opens they have answered.
    var counts: (canLend: Bool, fileCount: Int, openCount: Int) {
        state.withLock { ($0.device != nil && !$0.isRefused, $0.inodes.lentCount, $0.openCount) }
    }

    /// Whether a file of its own would make a difference to the next open of `inode`.
    func wantsFile(of inode: InodeID) -> Bool {
        state.withLock { $0.borrower != nil && !$0.inodes.contains(inode) }
    }

    /// Takes in a handle of `inode` that is about to be opened, and decides how it is read. If the open reply can't be sent,
    /// `release` takes it back.
    ///
    /// - Parameter file: Holds the object, if there is such a file.
    /// - Returns: What the kernel reads; `nil` where it reads through us.
    func open(_ inode: InodeID, _ handle: Handle, file: CompleteFile?) -> BackingID? {
        var refusal: Errno?
        let id = state.withLock { state in
            let borrower = state.borrower
            let id = state.inodes.open(inode, handle) {
                guard let file, let borrower else { return nil }
                do throws(Errno) {
                    let backing = Backing(id: try borrower.lend(file.descriptor), file: file)
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

    /// A handle of `inode` is no more (FUSE_RELEASE), or its open reply wasn't sent.
    func release(_ inode: InodeID, _ handle: Handle) {
        let backing = state.withLock { state in
            let backing = state.inodes.release(inode, handle)
            if let backing {
                // Before the kernel may use the number again.
                log?.remove(.lentFile, id: inode.rawValue)
                state.device?.takeBack(backing.id)
            }
            return backing
        }
        // The file, if it was the last one to have it, is let go of here, and not under the lock.
        withExtendedLifetime(backing) {}
    }

    /// Whether asking again for another file is of no use: this process lacks the right (CAP_SYS_ADMIN), the kernel can't,
    /// or the cache's disk is itself a file system on top of another one (overlayfs).
    private static func concernsAllFiles(_ errno: Errno) -> Bool {
        [.notPermitted, .notSupportedOnSocket, .inappropriateIOCTLForDevice, .tooManySymbolicLinkLevels].contains(errno)
    }

    private func log(_ refusal: Errno) {
        if Passthrough.concernsAllFiles(refusal) {
            logger.info(
                "the kernel does not take files of the cache, which are read through this process instead",
                metadata: ["reason": "\(refusal)"])
        } else {
            logger.debug("the kernel did not take a file of the cache", metadata: ["reason": "\(refusal)"])
        }
    }
}

// MARK: What the next process must know

extension Passthrough: StateOwner {
    /// Takes in what a process that is gone has left: `handles`, which are open, and are read as they were. To be called before
    /// all else.
    ///
    /// - Parameter file: Finds the lent file of a handle in the cache, so that it counts as in use.
    func restore(
        _ handles: [(handle: Handle, inode: InodeID)], file: (Handle) -> CompleteFile?
    ) throws(StateLogError) {
        guard let log else { return }
        let lent = try log.words(.lentFile)
        state.withLock { state in
            for (handle, inode) in handles {
                _ = state.inodes.open(inode, handle) {
                    guard let number = lent[inode.rawValue]?.first, let id = BackingID(logged: number) else {
                        return nil
                    }
                    return Backing(id: id, file: file(handle))
                }
            }
            // The process had lent these, and nobody has opened them, or the last handle was just being released.
            let used = Set(state.inodes.lent.map(\.inode.rawValue))
            state.unused = lent.filter { !used.contains($0.key) }.values.compactMap {
                $0.first.flatMap(BackingID.init(logged:))
            }
            for inode in lent.keys where !used.contains(inode) { log.remove(.lentFile, id: inode) }
        }
        log.own([.lentFile], by: self)
    }

    func writeState(to log: StateLog) {
        state.withLock { state in
            for (inode, id) in state.inodes.lent { log.write(id, of: inode) }
        }
    }
}

extension StateLog {
    fileprivate func write(_ id: BackingID, of inode: InodeID) {
        set(.lentFile, id: inode.rawValue, [UInt64(truncatingIfNeeded: id.rawValue)])
    }
}

extension BackingID {
    fileprivate init?(logged number: UInt64) {
        guard let id = Int32(exactly: number), id > 0 else { return nil }
        self.init(rawValue: id)
    }
}
