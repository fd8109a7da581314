import ArgumentParser
import Glibc
import MountControl
import SystemPackage
import SystemSupport

/// The command `tractfs refresh`.
struct RefreshCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh",
        abstract: "Discard cached listings of a mount.",
        discussion: """
            Discards the listings below each path, in the mount and on the local disk, before they expire (--metadata-ttl). \
            For a file, discards the listing of its folder. When this returns, all programs see what is in the bucket now. \
            File contents stay cached; files that are open keep the bytes that they were opened with.
            """)

    @Argument(help: ArgumentHelp("Folders or files in mounts.", valueName: "path"), completion: .file())
    var paths: [String]

    func run() throws {
        try MountPaths.forEach(paths) { path throws(Failure) in
            do throws(Errno) {
                try refresh(path)
            } catch {
                throw MountPaths.failure(path, error)
            }
        }
    }

    private func refresh(_ path: String) throws(Errno) {
        do throws(Errno) {
            return try MountedDirectory(path).refresh(isRecursive: true)
        } catch {
            // A file, or a name that didn't exist at the last lookup.
            guard error == .notDirectory || error == .noSuchFileOrDirectory else { throw error }
        }
        try MountedDirectory(folder(of: path)).refresh(isRecursive: false)
        // Fails if the file still doesn't exist.
        var status = stat()
        guard lstat(path, &status) == 0 else { throw Errno(rawValue: errno) }
    }

    /// Returns the folder that contains the last component of a path.
    private func folder(of path: String) -> String {
        let path = FilePath(path)
        let folder = path.removingLastComponent()
        return folder.isEmpty ? "." : folder.string
    }
}
