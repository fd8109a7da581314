import Namespace
import ObjectStore
import Reader
import Synchronization

/// Objects whose storage class keeps them where nobody can read them until they are restored ("Working with archived
/// objects" in the Amazon S3 User Guide).
///
/// A listing tells the class, but not whether an object was restored: S3 would say so if it were asked to, other stores
/// wouldn't, and a listing is old by the time it matters. So opening such an object gets its first bytes, which is the one
/// question that every store answers rightly.
final class ArchivedObjects: Sendable {
    /// What is known of an object, as `user.s3.restore` shows it.
    enum Restoration: String {
        /// Nobody has opened it yet.
        case unknown
        /// It was refused: it must be restored.
        case required
        /// It could be read.
        case restored
    }

    /// More than anybody looks at in one go; what is forgotten is unknown again.
    private static let objectLimit = 10_000

    private let restorations = Mutex<[InodeID: Restoration]>([:])

    /// Notes what came of reading the object.
    func note(_ result: Result<ReadBytes, StoreError>, of id: InodeID) {
        let restoration: Restoration? =
            switch result {
            case .success: .restored
            case .failure(let error): error.code == .archived ? .required : nil
            }
        guard let restoration else { return }
        restorations.withLock { restorations in
            if restorations.count >= Self.objectLimit { restorations = [:] }
            restorations[id] = restoration
        }
    }

    /// What is known of the object; `nil` where it is no archived one.
    func restoration(of inode: Inode) -> Restoration? {
        guard case .file(let object) = inode.kind, object.isArchived else { return nil }
        return restorations.withLock { $0[inode.id] } ?? .unknown
    }
}
