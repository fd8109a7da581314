public import Logging
public import Namespace
import ObjectStore
public import Reader
public import StateLog
import struct SystemPackage.Errno
public import SystemSupport

/// The operations of the file system, as the kernel requests them, on the names of a `Namespace` and the bytes of a
/// `Reader`.
///
/// Knows neither FUSE nor HTTP. An operation that may need the store takes a completion, which is called once: at once
/// if the answer is known, and from a thread of the store otherwise. No operation ever blocks. Failures are errno
/// values from one table, `Errno.init(_:isOpen:)`.
///
/// Each aspect has a file: names (`FileSystem+Names.swift`), directories, files, extended attributes, and requests of
/// the `tractfs` commands.
public final class FileSystem: Sendable {
    let namespace: Namespace
    let reader: Reader
    let options: Options
    let localFiles: LocalFileSource
    let folders: FolderReadAhead
    let failures: FailureLog
    let archived = ArchivedObjects()
    let accesses = AccessRecord()
    let logger: Logger
    let log: StateLog?
    let directories: HandleTable<DirectoryHandle>
    let kernelDirectories = KernelDirectories()
    let files: HandleTable<OpenFile>
    /// The time at which the mount began, possibly in another process.
    public let mountTime: Timestamp
    /// The 32-bit inode numbers (`--inode-bits 32`); `nil` if users see the 62-bit ones.
    let shortNumbers: ShortNumbers?

    /// Creates a file system of these names and bytes.
    ///
    /// - Parameter log: The log for the next process (`restore`), which the namespace shares.
    public convenience init(
        namespace: Namespace, reader: Reader, options: Options, log: StateLog? = nil, logger: Logger
    ) {
        self.init(namespace: namespace, reader: reader, options: options, log: log, logger: logger) {
            reader, completion in
            reader.localFile(completion: completion)
        }
    }

    /// Creates a file system with another source of local files, for tests.
    init(
        namespace: Namespace, reader: Reader, options: Options, log: StateLog? = nil, logger: Logger,
        localFiles: @escaping LocalFileSource
    ) {
        self.namespace = namespace
        self.reader = reader
        self.options = options
        self.localFiles = localFiles
        folders = FolderReadAhead(namespace: namespace, prefetch: reader.prefetchWhole)
        failures = FailureLog(logger: logger)
        self.logger = logger
        self.log = log
        shortNumbers = options.hasShortInodeNumbers ? ShortNumbers(log: log) { namespace.inodeNumbers } : nil
        directories = HandleTable(.openDirectory, log: log)
        files = HandleTable(.openFile, log: log)
        mountTime = log.map { options.mountTime(keptIn: $0) } ?? options.mountTime
        namespace.onInvalidation { [kernelDirectories] in kernelDirectories.invalidateAll() }
    }

    func inode(_ id: InodeID) throws(Errno) -> Inode {
        guard let inode = namespace.inode(id) else { throw .staleNFSFileHandle }
        return inode
    }

    func directory(_ id: InodeID) throws(Errno) -> Inode {
        let inode = try inode(id)
        guard inode.kind == .directory else { throw .notDirectory }
        return inode
    }

    func validated(_ name: some Collection<UInt8>) throws(Errno) -> Name {
        do {
            return try Name(name)
        } catch {
            throw Errno(error)
        }
    }

    func errno(for error: StoreError, wanting key: Key, isOpen: Bool = false) -> Errno {
        failures.note(error, wanting: key)
        return Errno(error, isOpen: isOpen)
    }

    /// Sets the kernel's cache, for notifications.
    public func attach(_ kernel: any KernelCache) {
        namespace.attach(kernel)
    }
}
