public import ObjectStore
public import struct SystemPackage.Errno

/// A file that can be downloaded by its URL alone.
public struct PresignedFile: Sendable {
    /// The key of the object.
    public let key: Key
    /// The size of the file; `nil` if it is not known.
    public let byteCount: Int?
    /// The URL. It gives the current version of the object, which may be a later one.
    public let url: ObjectURL

    /// Creates a file of this size at this URL.
    public init(key: Key, byteCount: Int?, url: ObjectURL) {
        self.key = key
        self.byteCount = byteCount
        self.url = url
    }
}

extension FileSystem {
    /// A failure of an operation for one of the `tractfs` commands.
    public struct Failure: Error, Codable, Sendable {
        /// The error as applications see it.
        public let errno: Errno
        /// The message of the store; empty if there is none.
        public let reason: String

        /// Creates a failure of this kind.
        public init(errno: Errno, reason: String = "") {
            self.errno = errno
            self.reason = reason
        }

        /// Creates a failure for an error of the store.
        ///
        /// - Parameter isOpen: `true` if an application has the object open.
        public init(_ error: StoreError, isOpen: Bool) {
            self.init(errno: Errno(error, isOpen: isOpen), reason: "\(error)")
        }
    }

    /// The user and the groups of the process that makes a request.
    public struct Requester: Sendable {
        let userID: UInt32
        let groupIDs: [UInt32]

        /// Creates a requester of this user and these groups, primary and supplementary (credentials(7)).
        public init(userID: UInt32, groupIDs: [UInt32]) {
            self.userID = userID
            self.groupIDs = groupIDs
        }
    }
}

extension Ownership {
    /// Returns `true` if the requester may read files, as the kernel would decide it.
    func allowsReading(by requester: FileSystem.Requester) -> Bool {
        if requester.userID == 0 { return true }
        let bit: UInt32 =
            requester.userID == userID ? 0o400 : requester.groupIDs.contains(groupID) ? 0o040 : 0o004
        return filePermissions & bit != 0
    }
}
