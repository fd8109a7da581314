public import BlockCache
public import Namespace
import ObjectStore
import Reader
public import StateLog
import SystemSupport

/// What the next process must know of this one.
extension FileSystem {
    /// Takes in what a process that is gone has left in the log: names, and all that is open. To be called before all else,
    /// once; fails where not all of it is there. Nothing is asked of the store.
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

    /// The files that are open, and which inodes they are.
    public var openFiles: [(handle: Handle, inode: InodeID)] {
        files.all.map { ($0.handle, $0.value.inode) }
    }

    /// The file on the local disk that holds all of an open file, if there is one. Nothing is fetched for it.
    public func completeFile(_ handle: Handle) -> CompleteFile? {
        files[handle]?.reader.completeFile
    }
}

extension FileSystem: StateOwner {
    /// Writes what is open, and what open directories have given.
    public func writeState(to log: StateLog) {
        for (_, opened) in directories.all { opened.directory.writeEntries() }
        directories.writeAll()
        files.writeAll()
    }
}

extension FileSystem.Options {
    /// When the mount began, which may have been in another process.
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
