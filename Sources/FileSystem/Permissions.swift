public import Namespace
public import struct SystemPackage.Errno

/// A kind of access, as a bit of access(2).
public struct AccessKind: OptionSet, Hashable, Sendable {
    /// The bits for one class of users in a mode.
    public let rawValue: UInt32

    /// The kinds of these bits.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Execution of a file, or search of a folder.
    public static let execute = AccessKind(rawValue: 1)
    /// Reading a file, or listing a folder.
    public static let read = AccessKind(rawValue: 4)
}

extension FileAttributes {
    /// Returns `true` if the permissions allow this to every user.
    func allowsAll(_ kind: AccessKind) -> Bool {
        [6, 3, 0].allSatisfy { permissions >> $0 & kind.rawValue == kind.rawValue }
    }

    /// Returns `true` if a process may do this, as the kernel decides it with `default_permissions`.
    func allows(_ kind: AccessKind, to requester: FileSystem.Requester) -> Bool {
        if requester.userID == 0 {
            // Root reads everything, and runs what has a permission for at least one class of users.
            return isDirectory || !kind.contains(.execute) || permissions & 0o111 != 0
        }
        let shift: UInt32 = requester.userID == userID ? 6 : requester.groupIDs.contains(groupID) ? 3 : 0
        return permissions >> shift & kind.rawValue == kind.rawValue
    }
}

extension FileSystem {
    /// Checks the permissions of an inode, for mounts whose kernel doesn't.
    ///
    /// - Parameter requester: Returns the requester. It is called only if users have different permissions.
    public func checkAccess(_ kind: AccessKind, to id: InodeID, by requester: () -> Requester) throws(Errno) {
        let attributes = try attributes(of: id)
        guard attributes.allowsAll(kind) || attributes.allows(kind, to: requester()) else { throw .permissionDenied }
    }

    /// `true` if every user may search all folders.
    public var letsAllThrough: Bool { options.ownership.directoryPermissions & 0o111 == 0o111 }
}
