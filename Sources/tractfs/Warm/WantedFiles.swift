import CommandOutput
import FileSystem
import MountControl
import Settings
import SystemPackage
import SystemSupport

/// A file to fetch into the cache.
struct WantedFile: Sendable {
    /// The path as shown to users.
    let shownPath: String
    /// The index of the opened folder that contains the file, and the path below it.
    let root: Int
    let folder: [UInt8]
    let name: [UInt8]
    /// The number of the object version.
    let version: UInt64
    let byteCount: Int
    /// The disk usage of the complete file.
    let allocatedByteCount: Int
    /// The number of cached bytes at the time of the check.
    let cachedByteCount: Int
    let isKept: Bool
}

/// The files of one mount to fetch into its cache, without duplicates.
struct WantedFiles {
    private(set) var files: [WantedFile] = []
    private(set) var byteCount = 0
    private(set) var cachedByteCount = 0
    /// The disk usage of all files when complete.
    private(set) var allocatedByteCount = 0
    /// The disk usage of those that are already pinned.
    private(set) var keptByteCount = 0
    private var versions: Set<UInt64> = []

    /// The number of bytes to fetch.
    var missingByteCount: Int { byteCount - cachedByteCount }

    /// The folders that contain the files.
    private(set) var roots: [OpenedFolder] = []

    /// Adds the matching files of `tree` that aren't included yet, after a query to the mount about each.
    ///
    /// - Parameter isUse: Counts as a use when `true`, so that other objects are evicted first.
    /// - Returns: The number of matching files.
    mutating func add(
        _ tree: MountedTree, matching patterns: KeyPatterns, isUse: Bool, telling line: inout ProgressLine
    ) throws(Failure) -> Int {
        var count = 0
        roots.append(OpenedFolder(try tree.open()))
        try tree.forEachFile(matching: patterns) { directory, file throws(Failure) in
            count += 1
            line.show { WarmText.fitting("\(tree.path): \(WarmText.files(count))", width: $0 ?? .max) }
            let actions: FileSystem.FetchRequest.Actions = isUse ? .use : []
            do throws(FileSystem.Failure) {
                let response = try directory.fetch(FileSystem.FetchRequest(name: file.name, actions: actions))
                add(file, of: tree, response)
            } catch {
                throw error.reason.isEmpty
                    ? tree.cacheFailure(error.errno, at: file.path)
                    : Failure("\(tree.shown(file.path)): \(error.reason)")
            }
        }
        return count
    }

    private mutating func add(_ file: MountedTree.File, of tree: MountedTree, _ response: FileSystem.FetchResponse) {
        // Two paths may lead to the same version.
        guard versions.insert(response.version).inserted else { return }
        add(
            WantedFile(
                shownPath: tree.shown(file.path), root: roots.count - 1, folder: file.folder, name: file.name,
                version: response.version, byteCount: response.byteCount,
                allocatedByteCount: response.allocatedByteCount,
                cachedByteCount: response.cachedByteCount, isKept: response.isKept))
    }

    /// Adds a file.
    mutating func add(_ file: WantedFile) {
        files.append(file)
        byteCount += file.byteCount
        cachedByteCount += file.cachedByteCount
        allocatedByteCount += file.allocatedByteCount
        if file.isKept { keptByteCount += file.allocatedByteCount }
    }
}

/// A folder of a mount that stays open, for several threads.
final class OpenedFolder: Sendable {
    private let directory: MountedDirectory

    init(_ directory: consuming MountedDirectory) {
        self.directory = directory
    }

    /// Opens the folder that contains a file.
    ///
    /// - Parameter folder: The path below this folder: names, each followed by "/".
    func open(_ folder: [UInt8]) throws(Errno) -> MountedDirectory {
        try MountedDirectory(folder.isEmpty ? [UInt8(ascii: ".")] : folder, in: directory)
    }
}
