import Glibc
import MountControl
import ObjectStore
import Settings
import SystemPackage
import SystemSupport

/// A file in a mount, or a folder and everything below it.
struct MountedTree {
    /// A file below the folder.
    struct File {
        /// The path of its folder relative to the tree: names, each followed by "/".
        let folder: [UInt8]
        let name: [UInt8]

        /// The path of the file, relative to the tree.
        var path: [UInt8] { folder + name }
    }

    /// The path as the user has written it.
    let path: String
    let isFolder: Bool
    /// The mount, by its device number (stat(2)).
    let device: UInt64
    /// The path without symbolic links. Requests go to the folder that contains the file itself, not a link to it.
    private let resolved: FilePath

    /// Finds the file or folder at `path`. `open` checks that it is in a mount.
    init(_ path: String) throws(Failure) {
        guard let resolved = realpath(path, nil) else { throw MountPaths.failure(path, Errno(rawValue: errno)) }
        defer { free(resolved) }
        var status = stat()
        guard lstat(resolved, &status) == 0 else { throw MountPaths.failure(path, Errno(rawValue: errno)) }
        self.path = path
        self.resolved = FilePath(platformString: resolved)
        isFolder = status.st_mode & S_IFMT == S_IFDIR
        device = UInt64(status.st_dev)
    }

    /// Opens the folder, or the one that contains the file, which must be in a mount.
    func open() throws(Failure) -> MountedDirectory {
        do throws(Errno) {
            let directory = try MountedDirectory(path: folder)
            _ = try directory.processes()
            return directory
        } catch {
            throw failure(error)
        }
    }

    /// The bytes of the folder's path.
    private var folder: [UInt8] {
        let folder = isFolder ? resolved : resolved.removingLastComponent()
        return folder.withPlatformString { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }

    /// The name of the file; empty for a folder.
    var fileName: [UInt8] {
        isFolder ? [] : Array((resolved.lastComponent?.string ?? "").utf8)
    }

    /// Calls `body` with each matching file and the folder that contains it.
    func forEachFile(
        matching patterns: KeyPatterns, _ body: (borrowing MountedDirectory, File) throws(Failure) -> Void
    ) throws(Failure) {
        let folder = try open()
        if isFolder { return try forEachFile(in: folder, at: [], matching: patterns, body) }
        if patterns.match(fileName) { try body(folder, File(folder: [], name: fileName)) }
    }

    private func forEachFile(
        in directory: borrowing MountedDirectory, at folder: [UInt8], matching patterns: KeyPatterns,
        _ body: (borrowing MountedDirectory, File) throws(Failure) -> Void
    ) throws(Failure) {
        var entries = try entries(of: directory, at: folder)
        while let entry = try next(&entries, at: folder) {
            let path = folder + entry.name
            if entry.type == UInt8(DT_DIR) {
                let below = try open(entry.name, in: directory, at: path)
                try forEachFile(in: below, at: path + [UInt8(ascii: "/")], matching: patterns, body)
            } else if patterns.match(path) {
                try body(directory, File(folder: folder, name: entry.name))
            }
        }
    }

    // MARK: Failures with the path

    private func entries(
        of directory: borrowing MountedDirectory, at path: [UInt8]
    ) throws(Failure) -> DirectoryEntries {
        do throws(Errno) { return try directory.entries() } catch { throw failure(error, at: path) }
    }

    private func next(
        _ entries: inout DirectoryEntries, at path: [UInt8]
    ) throws(Failure) -> DirectoryEntries.Entry? {
        do throws(Errno) { return try entries.next() } catch { throw failure(error, at: path) }
    }

    private func open(
        _ name: [UInt8], in directory: borrowing MountedDirectory, at path: [UInt8]
    ) throws(Failure) -> MountedDirectory {
        do throws(Errno) { return try MountedDirectory(name, in: directory) } catch { throw failure(error, at: path) }
    }

    /// Returns the failure for an error at `path` below the folder.
    func failure(_ errno: Errno, at path: [UInt8] = []) -> Failure {
        MountPaths.failure(shown(path), errno)
    }

    /// Returns the path of a file below the folder, as shown to users.
    func shown(_ path: [UInt8]) -> String {
        path.isEmpty || !isFolder ? self.path : "\(self.path)/\(Key(path))"
    }
}
