public import BlockCache
import CLinux
public import FileSystem
import Glibc
public import SystemSupport
public import SystemPackage

/// An open folder of a mount, for requests to the process that serves the mount.
///
/// All requests fail with ENOTTY if the folder isn't in a mount of tractfs, or is served by a version that has no such
/// request, and with EPROTONOSUPPORT if the server has another version of the protocol.
public struct MountedDirectory: ~Copyable, Sendable {
    private let descriptor: CInt

    /// Takes ownership of an open folder.
    init(owning descriptor: CInt) {
        self.descriptor = descriptor
    }

    /// Opens the folder `name`, or at a relative path, in another one, but follows no symbolic link. Much cheaper than
    /// a whole path, since the kernel looks up no mount point.
    public init(_ name: [UInt8], in directory: borrowing MountedDirectory) throws(Errno) {
        let path = name.map { CChar(bitPattern: $0) } + [0]
        descriptor = openat(directory.descriptor, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    }

    deinit {
        close(descriptor)
    }

    /// Returns the entries of the folder, in the order of their keys: the key of a folder ends in "/". They can be read
    /// once.
    public func entries() throws(Errno) -> DirectoryEntries {
        try DirectoryEntries(of: FileDescriptor(rawValue: descriptor))
    }

    // MARK: Requests

    /// Returns the processes behind the mount.
    public func processes() throws(Errno) -> MountProcesses {
        try plainResponse(to: .processes)
    }

    /// Returns the status of the mount as a JSON document (`MountStatus`, docs/STATUS.md).
    public func status() throws(Errno) -> [UInt8] {
        do throws(FileSystem.Failure) { return try document(for: .status) } catch { throw error.errno }
    }

    /// Returns the report of the mount as a JSON document (`MountReport`, docs/REPORT.md).
    public func report() throws(Errno) -> [UInt8] {
        do throws(FileSystem.Failure) { return try document(for: .report) } catch { throw error.errno }
    }

    /// Discards listings of the folder, and of everything below it if `isRecursive`. When this returns, no application
    /// sees them any more.
    public func refresh(isRecursive: Bool) throws(Errno) {
        let _: ControlRequest.Done = try plainResponse(to: .refresh(isRecursive: isRecursive))
    }

    /// Begins to list everything below the folder, and returns a token for `treeListingProgress`, which must be called
    /// again and again while the listing is wanted.
    public func beginTreeListing() throws(Errno) -> UInt64 {
        try plainResponse(to: .beginTreeListing)
    }

    /// Returns the progress of a listing. ENODATA if the server doesn't know it, as after a restart.
    public func treeListingProgress(of token: UInt64) throws(Errno) -> TreeListingProgress {
        try plainResponse(to: .treeListingProgress(of: token))
    }

    /// Has the mount sign a URL for the file `name` in the folder.
    ///
    /// - Parameter lifetime: The validity of the URL, in seconds.
    public func presign(_ name: [UInt8], lifetime: Int) throws(FileSystem.Failure) -> PresignedFile {
        let response: PresignedResponse = try response(to: .presign(name: name, lifetime: lifetime))
        return response.file
    }

    /// Looks up a file of the folder in the disk cache, or fetches a part of it and waits for that.
    public func fetch(_ request: FileSystem.FetchRequest) throws(FileSystem.Failure) -> FileSystem.FetchResponse {
        try response(to: .fetch(request))
    }

    /// Returns the capacity of the disk cache. ENODEV without a disk cache.
    public func cacheRoom() throws(Errno) -> DiskCache.Room {
        try plainResponse(to: .cacheRoom)
    }

    /// Unpins the file `name`, or everything below the folder if the name is empty.
    public func release(_ name: [UInt8]) throws(Errno) -> DiskCache.Release {
        try plainResponse(to: .release(name: name))
    }

    // MARK: Messages

    /// Returns the response to a request that fails without a message of the store.
    private func plainResponse<Value: Decodable>(to request: ControlRequest) throws(Errno) -> Value {
        do throws(FileSystem.Failure) { return try response(to: request) } catch { throw error.errno }
    }

    private func response<Value: Decodable>(to request: ControlRequest) throws(FileSystem.Failure) -> Value {
        try decoded(document(for: request))
    }

    /// Returns the whole document of the response.
    private func document(for request: ControlRequest) throws(FileSystem.Failure) -> [UInt8] {
        let first = try call(request)
        var document = first.content
        while document.count < first.documentByteCount {
            let page = try call(.page(of: first.token, offset: document.count)).content
            // The server ends the document early, though it can't.
            if page.isEmpty { throw FileSystem.Failure(errno: .ioError) }
            document += page
        }
        guard first.kind == .failure else { return document }
        throw try decoded(document) as FileSystem.Failure
    }

    private func call(_ request: ControlRequest) throws(FileSystem.Failure) -> ControlMessage {
        // Fails for no type of ours, nor for names that a file can have.
        guard let content = try? ControlDocument.encode(request), content.count <= ControlMessage.contentByteCountMax
        else { throw FileSystem.Failure(errno: .invalidArgument) }
        var bytes = ControlMessage(.request, content).bytes
        bytes += [UInt8](repeating: 0, count: ControlMessage.byteCountMax - bytes.count)
        let code = bytes.withUnsafeMutableBytes { tractfs_control(descriptor, $0.baseAddress) }
        guard code == 0 else { throw FileSystem.Failure(errno: Errno(rawValue: errno)) }
        // Another FUSE server may answer without a change of the message.
        guard let message = bytes.withUnsafeBytes({ ControlMessage($0) }),
            message.kind == .response || message.kind == .failure
        else {
            throw FileSystem.Failure(errno: .protocolNotSupported)
        }
        return message
    }

    private func decoded<Value: Decodable>(_ document: [UInt8]) throws(FileSystem.Failure) -> Value {
        guard let value = try? ControlDocument.decode(Value.self, from: document) else {
            throw FileSystem.Failure(errno: .protocolNotSupported)
        }
        return value
    }
}
