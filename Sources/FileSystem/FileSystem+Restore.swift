public import BlockCache
public import Namespace
import ObjectStore
import Reader
public import StateLog
import SystemSupport

/// The state that the next process needs.
extension FileSystem {
    /// Restores names and open handles from the log of the former process. Must be called once, before everything else.
    /// Throws if the log is incomplete. Sends no request.
    public func restore() throws(StateLogError) {
        guard let log else { return }
        try namespace.restore()
        try shortNumbers?.restore()
        try directories.restore { _, words in restoredDirectory(words) }
        namespace.endRestoring()
        try files.restore { _, words in
            words.first.flatMap { try? openFile(InodeID(rawValue: $0), forWriting: false) }
        }
        log.own([.openDirectory, .listedRun, .openFile], by: self)
    }

    private func restoredDirectory(_ words: [UInt64]) -> DirectoryHandle? {
        guard words.count == 3, let use = KernelDirectories.Use(rawValue: words[2]),
            let inode = try? directory(InodeID(rawValue: words[0]))
        else { return nil }
        let directory = namespace.openDirectory(inode, restoring: words[1])
        if use != .none { kernelDirectories.restore(directory) }
        return DirectoryHandle(restored: directory, copyUse: use)
    }

    /// The open files and their inodes.
    public var openFiles: [(handle: Handle, inode: InodeID)] {
        files.all.map { ($0.handle, $0.value.inode) }
    }

    /// Returns the file on the local disk that holds all bytes of an open file; `nil` if there is none. Fetches
    /// nothing.
    public func completeFile(_ handle: Handle) -> CompleteFile? {
        files[handle]?.reader.completeFile
    }
}

extension FileSystem: StateOwner {
    /// Writes the open handles, and the entries that open directories have returned.
    public func writeState(to log: StateLog) {
        for (_, opened) in directories.all { opened.directory.writeEntries() }
        directories.writeAll()
        files.writeAll()
    }
}

extension FileSystem.Options {
    /// Returns the time at which the mount began, possibly in another process.
    func mountTime(keptIn log: StateLog) -> Timestamp {
        if let words = log.valueWords(of: .mountTime), words.count == 2 {
            return Timestamp(seconds: Int(truncatingIfNeeded: words[0]), nanoseconds: Int(truncatingIfNeeded: words[1]))
        }
        log.setValue(
            of: .mountTime,
            words: [
                UInt64(truncatingIfNeeded: mountTime.seconds), UInt64(truncatingIfNeeded: mountTime.nanoseconds),
            ])
        return mountTime
    }
}
