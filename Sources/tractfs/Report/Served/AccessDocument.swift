import FileSystem
import ObjectStore
import SystemSupport

/// The reads of files and folders as a JSON object, limited to the most read ones.
struct AccessDocument {
    private let snapshot: AccessSnapshot
    private let root: Key

    /// The most files listed: more than a reader would look at.
    private static let fileCountMax = 200
    private static let folderCountMax = 200

    init(_ snapshot: AccessSnapshot, root: Key) {
        self.snapshot = snapshot
        self.root = root
    }

    var object: JSONObject {
        let (folders, topFolders) = (snapshot.countsByFolder, countsByTopFolder)
        return [
            "files": .array(mostUsedFiles.map(value)), "file_count": .number(snapshot.files.count),
            "file_limit": .number(FileSystem.recordedFileCountMax),
            "dropped_files": .number(snapshot.droppedFileCount),
            "unrecorded_opens": .number(snapshot.unrecordedOpenCount), "folders": .array(values(folders)),
            "folder_count": .number(folders.count), "top_folders": .array(values(topFolders)),
            "top_folder_count": .number(topFolders.count),
        ]
    }

    /// The files with the most bytes read, and those with the most opens: for files that the kernel reads directly,
    /// only opens are known.
    private var mostUsedFiles: [AccessSnapshot.File] {
        let byBytes = snapshot.files.sorted { AccessDocument.isBefore($0, $1) { ($0.byteCount, $0.openCount) } }
        let rest = byBytes.dropFirst(AccessDocument.fileCountMax / 2)
            .sorted { AccessDocument.isBefore($0, $1) { ($0.openCount, $0.byteCount) } }
        return Array(byBytes.prefix(AccessDocument.fileCountMax / 2)) + rest.prefix(AccessDocument.fileCountMax / 2)
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

    private func values(_ folders: [Key: AccessCounts]) -> [JSONObject.Value] {
        folders.sorted { left, right in
            let (first, second) = (left.value, right.value)
            return (first.byteCount, first.openCount) == (second.byteCount, second.openCount)
                ? left.key < right.key : (first.byteCount, first.openCount) > (second.byteCount, second.openCount)
        }.prefix(AccessDocument.folderCountMax).map { folder, counts in
            .object(JSONObject([(name: "path", value: path(folder))] + members(counts)))
        }
    }

    private func value(_ file: AccessSnapshot.File) -> JSONObject.Value {
        .object(
            JSONObject(
                [(name: "path", value: path(file.object.key)), (name: "size", value: .number(file.object.byteCount))]
                    + members(file.counts) + [
                        (
                            name: "part_bytes",
                            value: file.partByteCounts.map { .array($0.map { .number($0) }) } ?? .null
                        )
                    ]))
    }

    private func members(_ counts: AccessCounts) -> [(name: String, value: JSONObject.Value)] {
        [
            ("opens", .number(counts.openCount)), ("passthrough_opens", .number(counts.localOpenCount)),
            ("reads", .number(counts.readCount)), ("failed_reads", .number(counts.failureCount)),
            ("read_bytes", .number(counts.byteCount)),
        ]
    }

    /// Returns the path relative to the mount point.
    private func path(_ key: Key) -> JSONObject.Value {
        .string(Key(key.bytes.dropFirst(root.bytes.count)).description)
    }
}
