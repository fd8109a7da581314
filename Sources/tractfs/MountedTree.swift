import FuseBridge
import Glibc
import MountControl
import ObjectStore
import SystemPackage

/// A file in a mount, or a folder and what is below it.
struct MountedTree {
    /// A file, by where it is.
    struct File {
        /// Where its folder is below the one that was given: names, each ended by "/".
        let place: [UInt8]
        let name: [UInt8]

        /// Its path below the folder that was given.
        var path: [UInt8] { place + name }
    }

    /// As it was given.
    let path: String
    let isFolder: Bool
    /// The mount, as stat(2) tells mounts apart.
    let device: UInt64
    /// Where it is, without symbolic links: what is asked is the folder that a file itself is in.
    private let resolved: FilePath

    /// Finds what is at `path`. That it is in a mount is seen when it is asked.
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

    /// The folder, or the one that the file is in, which must be in a mount.
    func open() throws(Failure) -> MountedDirectory {
        do throws(Errno) {
            let directory = try MountedDirectory(path: folder)
            _ = try directory.processes()
            return directory
        } catch {
            throw failure(error)
        }
    }

    /// The bytes of its path.
    private var folder: [UInt8] {
        let folder = isFolder ? resolved : resolved.removingLastComponent()
        return folder.withPlatformString { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }

    /// The file's name where one was given, and empty otherwise.
    var fileName: [UInt8] {
        isFolder ? [] : Array((resolved.lastComponent?.string ?? "").utf8)
    }

    /// Calls `body` with the file, or with those of the folder, that match, and the folder that it is in.
    func forEachFile(
        matching patterns: KeyPatterns, _ body: (borrowing MountedDirectory, File) throws(Failure) -> Void
    ) throws(Failure) {
        let folder = try open()
        if isFolder { return try forEachFile(in: folder, at: [], matching: patterns, body) }
        if patterns.match(fileName) { try body(folder, File(place: [], name: fileName)) }
    }

    private func forEachFile(
        in directory: borrowing MountedDirectory, at place: [UInt8], matching patterns: KeyPatterns,
        _ body: (borrowing MountedDirectory, File) throws(Failure) -> Void
    ) throws(Failure) {
        var entries = try entries(of: directory, at: place)
        while let entry = try next(&entries, at: place) {
            let below = place + entry.name
            if entry.isDirectory {
                let folder = try open(entry.name, in: directory, at: below)
                try forEachFile(in: folder, at: below + [UInt8(ascii: "/")], matching: patterns, body)
            } else if patterns.match(below) {
                try body(directory, File(place: place, name: entry.name))
            }
        }
    }

    // MARK: Each with what went wrong in words

    private func entries(
        of directory: borrowing MountedDirectory, at place: [UInt8]
    ) throws(Failure) -> MountedDirectory.Entries {
        do throws(Errno) { return try directory.entries() } catch { throw failure(error, at: place) }
    }

    private func next(
        _ entries: inout MountedDirectory.Entries, at place: [UInt8]
    ) throws(Failure) -> MountedDirectory.Entry? {
        do throws(Errno) { return try entries.next() } catch { throw failure(error, at: place) }
    }

    private func open(
        _ name: [UInt8], in directory: borrowing MountedDirectory, at place: [UInt8]
    ) throws(Failure) -> MountedDirectory {
        do throws(Errno) { return try MountedDirectory(name, in: directory) } catch { throw failure(error, at: place) }
    }

    /// What an error means that something at `place` below ended with.
    func failure(_ errno: Errno, at place: [UInt8] = []) -> Failure {
        MountPaths.failure(shown(place), errno)
    }

    /// The path of what is at `place`, as it may be shown.
    func shown(_ place: [UInt8]) -> String {
        place.isEmpty || !isFolder ? path : "\(path)/\(Key(place))"
    }
}
