import FileSystem
import MountControl
import ObjectStore

/// Collects the reads of files and folders, limited to the most read ones.
struct AccessCollector {
    private let snapshot: AccessSnapshot
    private let root: Key

    /// The most files listed: more than a reader would look at.
    private static let fileCountMax = 200
    private static let folderCountMax = 200

    init(_ snapshot: AccessSnapshot, root: Key) {
        self.snapshot = snapshot
        self.root = root
    }

    /// The reads.
    var access: MountReport.Access {
        let (folders, topFolders) = (snapshot.countsByFolder, countsByTopFolder)
        var access = MountReport.Access()
        access.files = mostUsedFiles.map(file)
        access.fileCount = snapshot.files.count
        access.fileLimit = FileSystem.recordedFileCountMax
        access.droppedFiles = snapshot.droppedFileCount
        access.unrecordedOpens = snapshot.unrecordedOpenCount
        access.folders = mostUsed(folders)
        access.folderCount = folders.count
        access.topFolders = mostUsed(topFolders)
        access.topFolderCount = topFolders.count
        return access
    }

    /// The files with the most bytes read, and those with the most opens: for files that the kernel reads directly,
    /// only opens are known.
    private var mostUsedFiles: [AccessSnapshot.File] {
        let byBytes = snapshot.files.sorted { AccessCollector.isBefore($0, $1) { ($0.byteCount, $0.openCount) } }
        let rest = byBytes.dropFirst(AccessCollector.fileCountMax / 2)
            .sorted { AccessCollector.isBefore($0, $1) { ($0.openCount, $0.byteCount) } }
        return Array(byBytes.prefix(AccessCollector.fileCountMax / 2)) + rest.prefix(AccessCollector.fileCountMax / 2)
    }

    private static func isBefore(
        _ left: AccessSnapshot.File, _ right: AccessSnapshot.File, _ rank: (AccessCounts) -> (Int, Int)
    ) -> Bool {
        let (first, second) = (rank(left.counts), rank(right.counts))
        return first == second ? left.object.key < right.object.key : first > second
    }

    private var countsByTopFolder: [Key: AccessCounts] {
        snapshot.countsByFolder.reduce(into: [:]) { folders, folder in
            folders[top(of: folder.key), default: AccessCounts()].add(folder.value)
        }
    }

    /// Returns the top-level folder of the mount that contains `folder`; the root for files directly in it.
    private func top(of folder: Key) -> Key {
        let rest = folder.bytes.dropFirst(root.bytes.count)
        return Key(root.bytes + rest.prefix { $0 != Key.delimiter } + (rest.isEmpty ? [] : [Key.delimiter]))
    }

    private func mostUsed(_ folders: [Key: AccessCounts]) -> [MountReport.Folder] {
        folders.sorted { left, right in
            let (first, second) = (left.value, right.value)
            return (first.byteCount, first.openCount) == (second.byteCount, second.openCount)
                ? left.key < right.key : (first.byteCount, first.openCount) > (second.byteCount, second.openCount)
        }.prefix(AccessCollector.folderCountMax).map(folder)
    }

    private func folder(_ key: Key, _ counts: AccessCounts) -> MountReport.Folder {
        var folder = MountReport.Folder()
        folder.path = path(key)
        folder.opens = counts.openCount
        folder.passthroughOpens = counts.localOpenCount
        folder.reads = counts.readCount
        folder.failedReads = counts.failureCount
        folder.readBytes = counts.byteCount
        return folder
    }

    private func file(_ used: AccessSnapshot.File) -> MountReport.File {
        var file = MountReport.File()
        file.path = path(used.object.key)
        file.size = used.object.byteCount
        file.opens = used.counts.openCount
        file.passthroughOpens = used.counts.localOpenCount
        file.reads = used.counts.readCount
        file.failedReads = used.counts.failureCount
        file.readBytes = used.counts.byteCount
        file.partBytes = used.partByteCounts
        return file
    }

    /// Returns the path relative to the mount point.
    private func path(_ key: Key) -> String {
        Key(key.bytes.dropFirst(root.bytes.count)).description
    }
}
