import ObjectStore

/// The folders that are to be listed where a tree is listed folder by folder, some of them at once. Knows no store and no clock.
struct FolderListingPlan {
    /// Folders that are being listed, at the most.
    static let widthMax = TreeListingPlan.widthMax

    private var pending: [Key]
    private var inFlightCount = 0
    /// The number of files in the folders that were listed.
    private(set) var keyCount = 0

    init(below root: Key) {
        pending = [root]
    }

    /// `true` if everything is listed.
    var isDone: Bool { pending.isEmpty && inFlightCount == 0 }

    /// The next folder to list now; the deepest one first, so that few wait. Ends with `finish`.
    mutating func next() -> Key? {
        guard inFlightCount < Self.widthMax, let prefix = pending.popLast() else { return nil }
        inFlightCount += 1
        return prefix
    }

    /// A folder is listed that has these folders, and so many files.
    mutating func finish(_ subdirectories: [Key], keyCount: Int) {
        inFlightCount -= 1
        pending += subdirectories
        self.keyCount += keyCount
    }
}
