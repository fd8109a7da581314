public import ObjectStore

/// What is remembered of opens and reads.
public struct AccessSnapshot: Sendable {
    /// An object version.
    public struct File: Sendable {
        /// Which one.
        public let object: ObjectVersion
        /// How often it was opened and read.
        public let counts: AccessCounts
        /// The bytes that were read of each of its equal parts; `nil` for a small object.
        public let partByteCounts: [Int]?
    }

    /// What is remembered file by file, in no order.
    public let files: [File]
    /// What isn't any more, by folders.
    public let folders: [Key: AccessCounts]
    /// How many files that were; one that came back and went again counts again.
    public let droppedFileCount: Int
    /// How many opens were of files that were never remembered, because too many others were open, or their names are too long.
    public let unrecordedOpenCount: Int

    /// Files and folders together, by folders: how much was read of the files in each, and not of those in folders below.
    public var countsByFolder: [Key: AccessCounts] {
        files.reduce(into: folders) { folders, file in
            folders[file.object.key.folder, default: AccessCounts()].add(file.counts)
        }
    }
}
