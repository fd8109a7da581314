import FileSystem
import MountControl
import Settings
import SystemSupport

/// A file or a folder in a mount to presign. The mount signs the URLs.
struct PresignedPath {
    private let path: String
    private let lifetime: Int

    /// Creates a request for the URLs of a file or a folder.
    ///
    /// - Parameter lifetime: The validity of the URLs, in seconds.
    init(_ path: String, lifetime: Int) {
        self.path = path
        self.lifetime = lifetime
    }

    /// Calls `body` with the file, or with each matching file of the folder.
    ///
    /// - Parameter patterns: `nil` if the path must be a file.
    func forEachFile(
        matching patterns: KeyPatterns?, _ body: (PresignedFile) throws(Failure) -> Void
    ) throws(Failure) {
        let tree = try MountedTree(path)
        if tree.isFolder, patterns == nil {
            // If the folder is in no mount, that is the better message.
            _ = try tree.open()
            throw Failure("\(path) is a folder; give --recursive for URLs of all files in it")
        }
        try tree.forEachFile(matching: patterns ?? .all) { directory, file throws(Failure) in
            try body(presign(file, in: directory, of: tree))
        }
    }

    private func presign(
        _ file: MountedTree.File, in directory: borrowing MountedDirectory, of tree: MountedTree
    ) throws(Failure) -> PresignedFile {
        do throws(FileSystem.Failure) {
            return try directory.presign(file.name, lifetime: lifetime)
        } catch {
            if error.reason.isEmpty { throw tree.failure(error.errno, at: file.path) }
            throw Failure("\(tree.shown(file.path)): \(error.reason)")
        }
    }
}
