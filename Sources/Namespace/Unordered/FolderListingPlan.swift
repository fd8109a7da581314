import ObjectStore

/// The folders to list next when a tree is listed folder by folder, several at once. Knows no store and no clock.
struct FolderListingPlan {
    /// The most folders in flight.
    static let widthMax = TreeListingPlan.widthMax

    private var pending: [Key]
    private var inFlightCount = 0
    /// The number of files in the listed folders.
    private(set) var keyCount = 0

    init(below root: Key) {
        pending = [root]
    }

    /// `true` if everything is listed.
    var isDone: Bool { pending.isEmpty && inFlightCount == 0 }

    /// Returns the next folder to list, the deepest one first, so that few are pending; `nil` if none can begin now.
    /// Ends with `finish`.
    mutating func next() -> Key? {
        guard inFlightCount < Self.widthMax, let prefix = pending.popLast() else { return nil }
        inFlightCount += 1
        return prefix
    }

    /// Notes a listed folder with its subdirectories and the number of its files.
    mutating func finish(_ subdirectories: [Key], keyCount: Int) {
        inFlightCount -= 1
        pending += subdirectories
        self.keyCount += keyCount
    }
}
