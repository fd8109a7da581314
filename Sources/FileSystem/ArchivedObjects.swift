import Namespace
import ObjectStore
import Reader
import Synchronization

/// Objects that can't be read until they are restored, because of their storage class ("Working with archived objects"
/// in the Amazon S3 User Guide).
///
/// A listing has the class, but doesn't say if an object was restored. S3 could include that, other stores can't, and a
/// listing is old by the time it matters. So opening such an object reads its first byte: the one request that every
/// store answers correctly.
final class ArchivedObjects: Sendable {
    /// The state of an object, as `user.s3.restore` shows it.
    enum Restoration: String {
        /// It wasn't opened yet.
        case unknown
        /// It was refused: it must be restored.
        case required
        /// It could be read.
        case restored
    }

    /// More than a user examines at once. Beyond it all states are dropped and `unknown` again.
    private static let objectLimit = 10_000

    private let restorations = Mutex<[InodeID: Restoration]>([:])

    /// Notes the result of reading the object.
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

    /// Returns the state of the object; `nil` if it isn't an archived one.
    func restoration(of inode: Inode) -> Restoration? {
        guard case .file(let object) = inode.kind, object.isArchived else { return nil }
        return restorations.withLock { $0[inode.id] } ?? .unknown
    }
}
