import FileSystem
import FuseBridge
import SystemPackage

/// A file that is to be in the cache.
struct WantedFile: Sendable {
    /// As it is shown.
    let shownPath: String
    /// Which of the folders that were opened it is in or below, and where there.
    let root: Int
    let place: [UInt8]
    let name: [UInt8]
    /// Which version of it.
    let version: UInt64
    let byteCount: Int
    /// What it takes on the disk when all of it is there.
    let allocatedByteCount: Int
    /// How much of it was there when it was looked at.
    let cachedByteCount: Int
    let isKept: Bool
}

/// The files of one mount that are to be in its cache, each once.
struct WantedFiles {
    private(set) var files: [WantedFile] = []
    private(set) var byteCount = 0
    private(set) var cachedByteCount = 0
    /// What all of them take on the disk.
    private(set) var allocatedByteCount = 0
    /// What those of them take that are kept already.
    private(set) var keptByteCount = 0
    private var versions: Set<UInt64> = []

    /// What isn't in the cache.
    var missingByteCount: Int { byteCount - cachedByteCount }

    /// The folders that they are in or below.
    private(set) var roots: [OpenedFolder] = []

    /// Adds the files of `tree` that match, if they aren't there yet, after asking the mount about each.
    ///
    /// - Parameter isUse: Whether they count as used from now on, so that others are evicted first.
    /// - Returns: How many match.
    mutating func add(
        _ tree: MountedTree, matching patterns: KeyPatterns, isUse: Bool, telling line: inout OverwrittenLine
    ) throws(Failure) -> Int {
        var count = 0
        roots.append(OpenedFolder(try tree.open()))
        try tree.forEachFile(matching: patterns) { directory, file throws(Failure) in
            count += 1
            line.show { WarmText.fitting("\(tree.path): \(WarmText.files(count))", width: OverwrittenLine.columnCount) }
            let actions: FileSystem.FetchQuestion.Actions = isUse ? .use : []
            do throws(FileSystem.Failure) {
                let answer = try directory.fetch(FileSystem.FetchQuestion(name: file.name, actions: actions))
                add(file, of: tree, answer)
            } catch {
                throw error.reason.isEmpty
                    ? tree.cacheFailure(error.errno, at: file.path)
                    : Failure("\(tree.shown(file.path)): \(error.reason)")
            }
        }
        return count
    }

    private mutating func add(_ file: MountedTree.File, of tree: MountedTree, _ answer: FileSystem.FetchAnswer) {
        // Two paths may lead to it.
        guard versions.insert(answer.version).inserted else { return }
        add(
            WantedFile(
                shownPath: tree.shown(file.path), root: roots.count - 1, place: file.place, name: file.name,
                version: answer.version, byteCount: answer.byteCount, allocatedByteCount: answer.allocatedByteCount,
                cachedByteCount: answer.cachedByteCount, isKept: answer.isKept))
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

    /// Opens the folder that a file is in.
    ///
    /// - Parameter place: Where that is below: names, each ended by "/".
    func open(_ place: [UInt8]) throws(Errno) -> MountedDirectory {
        try MountedDirectory(place.isEmpty ? [UInt8(ascii: ".")] : place, in: directory)
    }
}
