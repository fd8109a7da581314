import FileSystem
import FuseBridge
import Glibc
import ObjectStore
import SystemPackage

/// A file or a folder in a mount that URLs are wanted of. The mount signs them.
struct PresignedPath {
    private let path: String
    private let lifetime: Int

    /// - Parameter lifetime: How long the URLs are to work, in seconds.
    init(_ path: String, lifetime: Int) {
        self.path = path
        self.lifetime = lifetime
    }

    /// Calls `body` with the file, or with those of the folder that match.
    ///
    /// - Parameter patterns: `nil` where only a file will do.
    func forEachFile(
        matching patterns: KeyPatterns?, _ body: (PresignedFile) throws(Failure) -> Void
    ) throws(Failure) {
        let resolved = try resolvedPath()
        var status = stat()
        guard lstat(resolved.string, &status) == 0 else { throw failure(Errno(rawValue: errno)) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            let name = Array((resolved.lastComponent?.string ?? "").utf8)
            let file = try presign(name, in: open(resolved.removingLastComponent().string), at: [])
            if patterns?.match(name) ?? true { try body(file) }
            return
        }
        let folder = try open(resolved.string)
        guard let patterns else {
            throw Failure("\(path) is a folder; give --recursive for URLs of all files in it")
        }
        try forEachFile(in: folder, at: [], matching: patterns, body)
    }

    /// Where it is, without symbolic links: what is asked is the folder that the file itself is in.
    private func resolvedPath() throws(Failure) -> FilePath {
        guard let resolved = realpath(path, nil) else { throw failure(Errno(rawValue: errno)) }
        defer { free(resolved) }
        return FilePath(platformString: resolved)
    }

    /// A directory, which must be in a mount.
    private func open(_ folder: String) throws(Failure) -> MountedDirectory {
        do throws(Errno) {
            let directory = try MountedDirectory(folder)
            _ = try directory.supervision()
            return directory
        } catch {
            throw failure(error)
        }
    }

    /// - Parameter place: Where `directory` is below the folder that was given: names, each ended by "/".
    private func forEachFile(
        in directory: borrowing MountedDirectory, at place: [UInt8], matching patterns: KeyPatterns,
        _ body: (PresignedFile) throws(Failure) -> Void
    ) throws(Failure) {
        var entries = try entries(of: directory, at: place)
        while let entry = try next(&entries, at: place) {
            let below = place + entry.name
            if entry.isDirectory {
                let folder = try open(entry.name, in: directory, at: below)
                try forEachFile(in: folder, at: below + [UInt8(ascii: "/")], matching: patterns, body)
            } else if patterns.match(below) {
                try body(presign(entry.name, in: directory, at: below))
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

    private func presign(
        _ name: [UInt8], in directory: borrowing MountedDirectory, at place: [UInt8]
    ) throws(Failure) -> PresignedFile {
        do throws(FileSystem.Failure) {
            return try directory.presign(name, lifetime: lifetime)
        } catch {
            if error.reason.isEmpty { throw failure(error.errno, at: place) }
            throw Failure("\(shown(place)): \(error.reason)")
        }
    }

    private func failure(_ errno: Errno, at place: [UInt8] = []) -> Failure {
        MountPaths.failure(shown(place), errno)
    }

    /// The path of what is at `place`.
    private func shown(_ place: [UInt8]) -> String {
        place.isEmpty ? path : "\(path)/\(Key(place))"
    }
}
