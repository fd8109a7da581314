import Namespace
import ObjectStore
import SystemSupport
import Testing

@testable import FileSystem

/// The permissions of an inode, for a mount whose kernel doesn't check them.
struct PermissionsTests {
    /// A process that wants something of an inode of user 1 and group 2.
    struct Wish: CustomTestStringConvertible {
        let permissions: UInt32
        var isDirectory = false
        let userID: UInt32
        var groupIDs: [UInt32] = [9]
        let kind: AccessKind
        let isAllowed: Bool

        var testDescription: String {
            "\(String(permissions, radix: 8)), user \(userID), groups \(groupIDs), \(kind.rawValue), folder: \(isDirectory)"
        }
    }

    private static let wishes = [
        Wish(permissions: 0o400, userID: 1, kind: .read, isAllowed: true),
        Wish(permissions: 0o044, userID: 1, groupIDs: [2], kind: .read, isAllowed: false),
        Wish(permissions: 0o040, userID: 3, groupIDs: [9, 2], kind: .read, isAllowed: true),
        Wish(permissions: 0o404, userID: 3, groupIDs: [9, 2], kind: .read, isAllowed: false),
        Wish(permissions: 0o004, userID: 3, kind: .read, isAllowed: true),
        Wish(permissions: 0o440, userID: 3, kind: .read, isAllowed: false),
        Wish(permissions: 0o500, userID: 1, kind: [.read, .execute], isAllowed: true),
        Wish(permissions: 0o400, userID: 1, kind: [.read, .execute], isAllowed: false),
        Wish(permissions: 0o000, userID: 0, kind: .read, isAllowed: true),
        Wish(permissions: 0o666, userID: 0, kind: .execute, isAllowed: false),
        Wish(permissions: 0o010, userID: 0, kind: .execute, isAllowed: true),
        Wish(permissions: 0o000, isDirectory: true, userID: 0, kind: .execute, isAllowed: true),
        Wish(permissions: 0o000, userID: 5, kind: [], isAllowed: true),
    ]

    @Test(arguments: wishes)
    func `The class that a process belongs to decides, and root reads everything`(wish: Wish) {
        let attributes = FileAttributes(
            inodeNumber: 5, isDirectory: wish.isDirectory, permissions: wish.permissions, userID: 1, groupID: 2,
            byteCount: 0, modified: Timestamp(seconds: 0))
        let asker = FileSystem.Asker(userID: wish.userID, groupIDs: wish.groupIDs)
        #expect(attributes.allows(wish.kind, to: asker) == wish.isAllowed)
    }

    @Test(arguments: [(0o444, true), (0o440, false), (0o044, false), (0o404, false), (0o755, true)])
    func `What all users may do needs no look at who asks`(permissions: Int, isForAll: Bool) {
        let attributes = FileAttributes(
            inodeNumber: 5, isDirectory: false, permissions: UInt32(permissions), userID: 1, groupID: 2,
            byteCount: 0, modified: Timestamp(seconds: 0))
        #expect(attributes.allowsAll(.read) == isForAll)
    }
}
