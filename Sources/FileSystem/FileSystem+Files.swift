public import Namespace
import ObjectStore
public import Reader
public import struct SystemPackage.Errno

/// Opening and reading files.
extension FileSystem {
    struct OpenFile: OpenedByHandle {
        let inode: InodeID
        let object: ObjectVersion
        let reader: ObjectReader
        /// `true` if the object may be archived, which opening it must find out.
        let mayBeArchived: Bool
        /// The record of the file's reads; `nil` if they aren't recorded.
        let access: FileAccess?

        var words: InlineArray<3, UInt64> { [inode.rawValue, 0, 0] }
    }

    /// The number of open files, each counted as often as it was opened.
    public var openFileCount: Int { files.count }

    /// Opens a file for reading (FUSE_OPEN).
    ///
    /// - Parameters:
    ///   - wantsLocalFile: `true` if the caller can use a local file. Only then does opening a small object wait for
    ///     its bytes, and fail with them.
    ///   - completion: Receives the file. Called exactly once, unless the wait is canceled first.
    /// - Returns: The wait, to cancel if the application gives up; `nil` if there is none.
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
        // Last, so that this file's own bytes are requested before those of the next files.
        defer { folders.noteOpen(file.object.key) }
        if file.mayBeArchived { return openArchived(id, file, completion: completion) }
        guard wantsLocalFile else {
            completion(.success(OpenedFile(handle: insert(file), localFile: nil)))
            return nil
        }
        // The handle is created after the wait, so that a canceled wait leaves none behind.
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

    /// Reads from an open file if the bytes are in memory (FUSE_READ): as many as requested, or fewer at the end of the
    /// file.
    ///
    /// - Parameters:
    ///   - offset: The offset in the file, which may be behind its end.
    ///   - byteCount: The number of bytes.
    public func readAvailable(_ handle: Handle, offset: Int, byteCount: Int) throws(Errno) -> AvailableBytes {
        let (file, range) = try extent(handle, offset: offset, byteCount: byteCount)
        if range.isEmpty { return .endOfFile }
        guard let bytes = file.reader.readAvailable(range) else { return .toBeFetched }
        file.access?.noteRead(range)
        return .bytes(bytes)
    }

    /// The bytes of a read that are in memory.
    public enum AvailableBytes: Sendable {
        /// All of them.
        case bytes(ReadBytes)
        /// None: the read begins at or behind the end of the file.
        case endOfFile
        /// Not all: `read` waits for them.
        case toBeFetched
    }

    /// Reads from an open file as soon as the bytes have arrived. For reads for which `readAvailable` returns
    /// `toBeFetched`.
    ///
    /// - Returns: The waiting read, to cancel if the application gives up; `completion` isn't called then.
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

    /// Closes an open file (FUSE_RELEASE).
    public func close(_ handle: Handle) {
        files.remove(handle)
    }
}
