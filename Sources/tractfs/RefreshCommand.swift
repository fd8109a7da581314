import ArgumentParser
import FuseBridge
import Glibc
import MountControl
import SystemPackage

/// `tractfs refresh`.
struct RefreshCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refresh",
        abstract: "Have a mount look at the bucket again.",
        discussion: """
            Forgets what was listed below each path, in the mount and on the local disk, before its time (--metadata-ttl) \
            is over. For a file that is what was listed of its folder. When this returns, everybody sees what is in the \
            bucket now. File contents stay cached; files that are open keep the bytes that they were opened with.
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
            // A file, or a name that wasn't there when it was looked for last.
            guard error == .notDirectory || error == .noSuchFileOrDirectory else { throw error }
        }
        try MountedDirectory(folder(of: path)).refresh(isRecursive: false)
        // What it is now.
        var status = stat()
        guard lstat(path, &status) == 0 else { throw Errno(rawValue: errno) }
    }

    /// The folder that the last component of a path is in.
    private func folder(of path: String) -> String {
        let path = FilePath(path)
        let folder = path.removingLastComponent()
        return folder.isEmpty ? "." : folder.string
    }
}
