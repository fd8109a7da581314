public import ObjectStore

/// A snapshot of recorded opens and reads.
public struct AccessSnapshot: Sendable {
    /// An object version.
    public struct File: Sendable {
        /// The object version.
        public let object: ObjectVersion
        /// Its opens and reads.
        public let counts: AccessCounts
        /// The bytes read of each of the object's equal parts; `nil` for a small object.
        public let partByteCounts: [Int]?
    }

    /// The files that are recorded individually, in no particular order.
    public let files: [File]
    /// The counts of files that no longer are, by folder.
    public let folders: [Key: AccessCounts]
    /// The number of those files; a file that was dropped twice counts twice.
    public let droppedFileCount: Int
    /// The number of opens of files that were never recorded, because too many files were open, or their names were too
    /// long.
    public let unrecordedOpenCount: Int

    /// The counts of files and folders combined, by folder: the reads of files directly in each folder.
    public var countsByFolder: [Key: AccessCounts] {
        files.reduce(into: folders) { folders, file in
            folders[file.object.key.folder, default: AccessCounts()].add(file.counts)
        }
    }
}
