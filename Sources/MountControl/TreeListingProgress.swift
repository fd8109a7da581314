public import FileSystem
import Namespace

/// The progress of listing everything below a folder.
public struct TreeListingProgress: Codable, Sendable {
    /// The number of listed keys.
    public let keyCount: Int
    /// The number of pages that they came in.
    public let pageCount: Int
    /// `true` when the listing has ended.
    public let isDone: Bool
    /// The reason that it has ended early.
    public let failure: FileSystem.Failure?

    /// Creates a progress of these counts.
    public init(keyCount: Int, pageCount: Int, isDone: Bool, failure: FileSystem.Failure? = nil) {
        self.keyCount = keyCount
        self.pageCount = pageCount
        self.isDone = isDone
        self.failure = failure
    }

    init(_ progress: TreeListerProgress) {
        // First, so that the counts of a listing that is done are final.
        let isDone = progress.isDone
        self.init(
            keyCount: progress.keyCount, pageCount: progress.pageCount, isDone: isDone,
            failure: progress.error.map { FileSystem.Failure($0, isOpen: false) })
    }
}
