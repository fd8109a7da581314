public import Logging
public import Namespace
public import ObjectStore
public import Reader
public import StateLog
public import struct SystemPackage.Errno
public import SystemSupport

/// The operations of the file system, as the kernel asks for them, on names and bytes that others provide.
///
/// Knows neither FUSE nor HTTP. Operations that may need the store take a completion, which is called once: at once
/// where the answer is at hand, and from a thread of the store's otherwise. No operation ever waits. Failures are errno
/// values, of which `Errno.init(_:isOpen:)` is the one table.
public final class FileSystem: Sendable {
    let namespace: Namespace
    let reader: Reader
    let options: Options
    private let localFiles: LocalFileSource
    private let folders: FolderReadAhead
    private let failures: FailureLog
    private let archived = ArchivedObjects()
    private let accesses = AccessRecord()
    private let logger: Logger
    let log: StateLog?
    let directories: HandleTable<DirectoryHandle>
    let kernelDirectories = KernelDirectories()
    private let warmings = Warmings()
    let files: HandleTable<OpenFile>
    /// The time at which the mount began, which may have been in another process.
    public let mountTime: Timestamp
    /// Stand-ins for the inode numbers that users see; `nil` where they see those of 62 bits.
    let shortNumbers: ShortNumbers?

    /// What a user can say about how the file system looks.
    public struct Options: Sendable {
        /// The bucket, for URIs.
        public var bucket: String
        /// Owners and permissions.
        public var ownership: Ownership
        /// The time at which the mount began.
        public var mountTime: Timestamp
        /// Whether extended attributes are answered (`--xattrs`). If not, the kernel is told once that there are none,
        /// and saves the two requests that `ls -l` makes for each file.
        public var hasExtendedAttributes: Bool
        /// Whether files have one with a URL (`--presign-xattr`).
        public var hasPresignedURLAttribute = false
        /// `true` if inode numbers fit in 32 bits (`--inode-bits 32`).
        public var hasShortInodeNumbers = false
        /// What makes URLs; `nil` for nothing.
        public var urls: (any ObjectURLSource)?

        /// All of it; without URLs, which may be added.
        public init(bucket: String, ownership: Ownership, mountTime: Timestamp, hasExtendedAttributes: Bool) {
            self.bucket = bucket
            self.ownership = ownership
            self.mountTime = mountTime
            self.hasExtendedAttributes = hasExtendedAttributes
        }
    }

    struct OpenFile: OpenedByHandle {
        let inode: InodeID
        let object: ObjectVersion
        let reader: ObjectReader
        /// Whether opening must find out if the object can be read at all.
        let mayBeArchived: Bool
        /// Where it is counted what becomes of it; `nil` where it isn't.
        let access: FileAccess?

        var words: InlineArray<3, UInt64> { [inode.rawValue, 0, 0] }
    }

    /// A file system of these names and these bytes.
    ///
    /// - Parameter log: Where that is written which the next process must know (`restore`); the namespace's as well.
    public convenience init(
        namespace: Namespace, reader: Reader, options: Options, log: StateLog? = nil, logger: Logger
    ) {
        self.init(namespace: namespace, reader: reader, options: options, log: log, logger: logger) {
            reader, completion in
            reader.localFile(completion: completion)
        }
    }

    /// The same with local files from elsewhere, for tests of what is done with them.
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
        namespace.onDistrust { [kernelDirectories] in kernelDirectories.distrustAll() }
    }

    /// How many files are open, each as often as it was opened.
    public var openFileCount: Int { files.count }

    /// The same of directories.
    public var openDirectoryCount: Int { directories.count }

    // MARK: Names

    /// The answer to a lookup.
    public struct Lookup: Sendable {
        /// What the name is, with one lookup more in the kernel's count; `nil` where there is nothing of that name, which
        /// the kernel may keep in mind as well.
        public let entry: Entry?
        /// How long the kernel may keep the name; `nil` for good.
        public let nameTimeout: Duration?
    }

    /// An inode and what `stat` tells of it. Both never change: an overwritten object is another inode.
    public struct Entry: Sendable {
        /// What the kernel calls it by.
        public let id: InodeID
        /// What `stat` tells.
        public let attributes: FileAttributes
    }

    /// Looks up a name in a directory (FUSE_LOOKUP). Where the reply can't be sent, `forget` takes the lookup back.
    public func lookup(
        _ name: some Collection<UInt8>, in parent: InodeID,
        completion: @escaping @Sendable (Result<Lookup, Errno>) -> Void
    ) {
        do throws(Errno) {
            let directory = try directory(parent)
            let name = try validated(name)
            namespace.lookup(name, in: directory) { [self] result in
                completion(
                    result.map { found in
                        Lookup(entry: found.inode.map(entry), nameTimeout: found.expiry.remaining(at: .now))
                    }.mapError { errno(for: $0, wanting: directory.key.appending(name.bytes)) })
            }
        } catch {
            completion(.failure(error))
        }
    }

    /// The kernel forgets `count` lookups of an inode (FUSE_FORGET).
    public func forget(_ id: InodeID, count: UInt64) {
        namespace.forget(id, count: count)
    }

    /// What `stat` tells of an inode (FUSE_GETATTR).
    public func attributes(of id: InodeID) throws(Errno) -> FileAttributes {
        try entry(inode(id)).attributes
    }

    /// The capacity that `statfs` tells.
    public var capacity: FileSystemCapacity { FileSystemCapacity(fitsIn32Bits: options.hasShortInodeNumbers) }

    /// Returns the inode number that users see for one of 62 bits.
    func shownNumber(_ number: UInt64) -> UInt64 {
        shortNumbers?.short(for: number) ?? number
    }

    func entry(_ inode: Inode) -> Entry {
        let attributes = FileAttributes(inode, number: shownNumber(inode.number), ownership: options.ownership)
        return Entry(id: inode.id, attributes: attributes)
    }

    /// An entry of a listing, which the kernel calls `id`; `number` has 62 bits.
    func entry(_ listed: ListedEntry, id: InodeID, number: UInt64) -> Entry {
        Entry(id: id, attributes: FileAttributes(listed, number: shownNumber(number), ownership: options.ownership))
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

    private func errno(for error: StoreError, wanting key: Key, isOpen: Bool = false) -> Errno {
        failures.note(error, wanting: key)
        return Errno(error, isOpen: isOpen)
    }

    // MARK: Directories

    /// Opens a directory (FUSE_OPENDIR). Nothing is asked of the store before entries are read.
    ///
    /// - Parameter mayBeCopied: Whether the kernel can keep the entries.
    public func openDirectory(_ id: InodeID, mayBeCopied: Bool) throws(Errno) -> OpenedDirectory {
        let directory = namespace.openDirectory(try directory(id))
        let opened = DirectoryHandle(directory, kernelDirectories.open(directory, mayBeCopied: mayBeCopied))
        return OpenedDirectory(
            handle: directories.insert(opened), isCopied: opened.copyUse != .none,
            keepsCopy: opened.copyUse != .begins)
    }

    /// Entries of an open directory from `cookie` on, which is 0 or the cookie of an entry that was read before
    /// (FUSE_READDIR).
    public func readDirectory(
        _ handle: Handle, from cookie: Int, completion: @escaping @Sendable (Result<DirectoryChunk, Errno>) -> Void
    ) {
        guard let opened = directories[handle] else { return completion(.failure(.badFileDescriptor)) }
        guard cookie >= 0 else { return completion(.failure(.invalidArgument)) }
        let directory = opened.directory
        logger.trace("readdir", metadata: ["prefix": "\(directory.inode.key)", "cookie": "\(cookie)"])
        opened.noteRead(from: cookie)
        let isRestart = cookie == 0 && opened.mayChangeListing
        directory.entries(from: max(cookie - DirectoryChunk.dotCount, 0), isRestart: isRestart) { [self] result in
            if isRestart { directories.noteChange(of: handle) }
            completion(
                result.map { DirectoryChunk($0, from: cookie, of: opened, in: self) }
                    .mapError { errno(for: $0, wanting: directory.inode.key) })
        }
    }

    /// How long the kernel may keep the names of an open directory; `nil` for good.
    func nameTimeout(in opened: DirectoryHandle) -> Duration? {
        // The kernel was told to ask again about all names, and shall not trust those that were listed before.
        kernelDirectories.isOver(opened.epoch) ? .zero : opened.directory.expiry.remaining(at: .now)
    }

    /// Ends an open directory (FUSE_RELEASEDIR).
    public func closeDirectory(_ handle: Handle) {
        warmings.remove(handle)
        guard let opened = directories.remove(handle), opened.copyUse != .none else { return }
        kernelDirectories.close(opened.directory.inode.id)
    }

    // MARK: What is known

    /// From now on the kernel is told through `kernel` what to let go of.
    public func attach(_ kernel: any KernelCache) {
        namespace.attach(kernel)
    }

    /// Forgets what was listed of an open directory: in memory, in the archive, and in the kernel. What is asked for after
    /// `completion` was called is what the store says then.
    public func refresh(
        _ handle: Handle, _ extent: Namespace.Extent, completion: @escaping @Sendable (Errno?) -> Void
    ) {
        guard let prefix = directories[handle]?.directory.inode.key else { return completion(.badFileDescriptor) }
        namespace.forget(prefix, extent)
        // Before the kernel is told: what handles read on that are open now is of the old listings.
        kernelDirectories.distrustAll()
        namespace.distrust(prefix, extent) { completion(nil) }
    }

    /// Begins to list all that is below an open directory, until that is closed.
    public func beginWarming(_ handle: Handle) throws(Errno) {
        guard let opened = directories[handle] else { throw .badFileDescriptor }
        try warmings.add(handle) { namespace.warm(below: opened.directory.inode.key) }
    }

    /// How far that is.
    public func warmStatus(_ handle: Handle) throws(Errno) -> WarmStatus {
        guard let progress = warmings.progress(handle) else { throw .noData }
        let outcome: Result<Void, Failure>? =
            if let error = progress.error {
                .failure(Failure(errno: Errno(error, isOpen: false), reason: "\(error)"))
            } else {
                progress.isDone ? .success(()) : nil
            }
        return WarmStatus(keyCount: progress.keyCount, pageCount: progress.pageCount, outcome: outcome)
    }

    // MARK: Files

    /// Opens a file for reading (FUSE_OPEN).
    ///
    /// - Parameters:
    ///   - wantsLocalFile: Whether the caller has a use for a local file. Only then does opening wait, for the bytes of a
    ///     small object, and fail where these can't be had.
    ///   - completion: Gets the file. It is called exactly once, unless the wait is cancelled first.
    /// - Returns: The wait, to be cancelled if the application gives up; `nil` where there was none.
    public func open(
        _ id: InodeID, forWriting: Bool, wantsLocalFile: Bool,
        completion: @escaping @Sendable (Result<OpenedFile, Errno>) -> Void
    ) -> ParkedRead? {
        let file: OpenFile
        do throws(Errno) {
            file = try openFile(id, forWriting: forWriting)
        } catch {
            completion(.failure(error))
            return nil
        }
        // Last of all, so that this file's own bytes are asked for before those of the next ones.
        defer { folders.noteOpen(file.object.key) }
        if file.mayBeArchived { return openArchived(id, file, completion: completion) }
        guard wantsLocalFile else {
            completion(.success(OpenedFile(handle: insert(file), localFile: nil)))
            return nil
        }
        // The handle is made when the wait is over, so that one that is cancelled leaves none behind.
        return localFiles(file.reader) { [self] result in
            completion(
                result.map { OpenedFile(handle: insert(file), localFile: $0) }
                    .mapError { errno(for: $0, wanting: file.object.key) })
        }
    }

    func openFile(_ id: InodeID, forWriting: Bool) throws(Errno) -> OpenFile {
        if forWriting { throw .readOnlyFileSystem }
        guard case .file(let object) = try inode(id).kind else { throw .isDirectory }
        return OpenFile(
            inode: id, object: object.version, reader: reader.open(object.version),
            mayBeArchived: object.isArchived && object.version.byteCount > 0,
            access: accesses.access(of: object.version))
    }

    private func insert(_ file: OpenFile) -> Handle {
        accesses.noteOpen(file.access)
        return files.insert(file)
    }

    private func openArchived(
        _ id: InodeID, _ file: OpenFile, completion: @escaping @Sendable (Result<OpenedFile, Errno>) -> Void
    ) -> ParkedRead? {
        let firstByte = 0..<1
        if file.reader.readAvailable(firstByte) != nil {
            completion(.success(OpenedFile(handle: insert(file), localFile: nil)))
            return nil
        }
        return file.reader.read(firstByte) { [self] result in
            archived.note(result, of: id)
            completion(
                result.map { _ in OpenedFile(handle: insert(file), localFile: nil) }
                    .mapError { errno(for: $0, wanting: file.object.key) })
        }
    }

    /// Reads from an open file, if the bytes are at hand (FUSE_READ): as many as asked for, or fewer at the end of the
    /// file.
    ///
    /// - Parameters:
    ///   - offset: Where in the file; it may lie behind its end.
    ///   - byteCount: How many bytes.
    public func readAvailable(_ handle: Handle, offset: Int, byteCount: Int) throws(Errno) -> AvailableBytes {
        let (file, range) = try extent(handle, offset: offset, byteCount: byteCount)
        if range.isEmpty { return .endOfFile }
        guard let bytes = file.reader.readAvailable(range) else { return .toBeFetched }
        file.access?.noteRead(range)
        return .bytes(bytes)
    }

    /// What is at hand of the bytes of a read.
    public enum AvailableBytes: Sendable {
        /// All of them.
        case bytes(ReadBytes)
        /// There are none: the read begins at or behind the end of the file.
        case endOfFile
        /// Not all: `read` waits for them.
        case toBeFetched
    }

    /// Reads from an open file as soon as the bytes have come. To be used where `readAvailable` has said that there are
    /// bytes to be fetched.
    ///
    /// - Returns: The read that waits, to be cancelled if the application gives up; `completion` isn't called then.
    public func read(
        _ handle: Handle, offset: Int, byteCount: Int,
        completion: @escaping @Sendable (Result<ReadBytes, Errno>) -> Void
    ) throws(Errno) -> ParkedRead {
        let (file, range) = try extent(handle, offset: offset, byteCount: byteCount)
        if range.isEmpty { throw .invalidArgument }
        return file.reader.read(range) { [self] result in
            switch result {
            case .success: file.access?.noteRead(range)
            case .failure: file.access?.noteFailure()
            }
            completion(result.mapError { errno(for: $0, wanting: file.object.key, isOpen: true) })
        }
    }

    private func extent(_ handle: Handle, offset: Int, byteCount: Int) throws(Errno) -> (OpenFile, Range<Int>) {
        guard let file = files[handle] else { throw .badFileDescriptor }
        guard offset >= 0, byteCount >= 0 else { throw .invalidArgument }
        let start = min(offset, file.object.byteCount)
        return (file, start..<start + min(byteCount, file.object.byteCount - start))
    }

    /// The kernel is told to read an open file's local file by itself.
    public func noteLocalReading(_ handle: Handle) {
        files[handle]?.access?.noteLocalOpen()
    }

    /// How often files were opened.
    public var totalOpenCount: Int { accesses.totalOpenCount }

    /// How many files are remembered one by one.
    public static var recordedFileCountMax: Int { AccessRecord.fileCountMax }

    /// Which files were opened and read since the start.
    public var accessSnapshot: AccessSnapshot { accesses.snapshot }

    /// Ends an open file (FUSE_RELEASE).
    public func close(_ handle: Handle) {
        files.remove(handle)
    }

    // MARK: Extended attributes

    /// The value of an extended attribute (FUSE_GETXATTR).
    public func extendedAttribute(_ name: String, of id: InodeID) throws(Errno) -> [UInt8] {
        guard options.hasExtendedAttributes else { throw .noFunction }
        let inode = try inode(id)
        guard let attribute = ExtendedAttribute(rawValue: name), let value = value(of: attribute, of: inode) else {
            throw .noData
        }
        return value
    }

    /// The names of an inode's extended attributes, each ended by a NUL (FUSE_LISTXATTR).
    public func extendedAttributeNames(of id: InodeID) throws(Errno) -> [UInt8] {
        guard options.hasExtendedAttributes else { throw .noFunction }
        let inode = try inode(id)
        return ExtendedAttribute.allCases
            .filter { $0 == .presignedURL ? hasPresignedURL(inode) : value(of: $0, of: inode) != nil }
            .flatMap { Array($0.rawValue.utf8) + [0] }
    }

    private func value(of attribute: ExtendedAttribute, of inode: Inode) -> [UInt8]? {
        attribute.value(of: inode, bucket: options.bucket, restoration: archived.restoration(of: inode))
    }
}
