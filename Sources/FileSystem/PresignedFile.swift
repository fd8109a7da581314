public import ObjectStore
public import struct SystemPackage.Errno

/// A file that anybody can get who has its URL.
public struct PresignedFile: Sendable {
    /// The object that it is.
    public let key: Key
    /// Its size; `nil` where nobody has asked for it.
    public let byteCount: Int?
    /// Where it is to be had. Gives what the key holds by then, also another version.
    public let url: ObjectURL

    /// A file of this size at this URL.
    public init(key: Key, byteCount: Int?, url: ObjectURL) {
        self.key = key
        self.byteCount = byteCount
        self.url = url
    }
}

extension FileSystem {
    /// Why something could not be done for one of our own commands.
    public struct Failure: Error, Sendable {
        /// As applications see it.
        public let errno: Errno
        /// In the store's words; empty where there are none.
        public let reason: String

        /// A failure of this kind.
        public init(errno: Errno, reason: String = "") {
            self.errno = errno
            self.reason = reason
        }
    }

    /// Somebody who asks for a URL.
    public struct Asker: Sendable {
        let userID: UInt32
        let groupIDs: [UInt32]

        /// A process of this user and these groups, its own and the supplementary ones (credentials(7)).
        public init(userID: UInt32, groupIDs: [UInt32]) {
            self.userID = userID
            self.groupIDs = groupIDs
        }
    }
}

extension Ownership {
    /// Whether files may be read by whoever asks, as the kernel would decide it.
    func allowsReading(by asker: FileSystem.Asker) -> Bool {
        if asker.userID == 0 { return true }
        let bit: UInt32 = asker.userID == userID ? 0o400 : asker.groupIDs.contains(groupID) ? 0o040 : 0o004
        return filePermissions & bit != 0
    }
}
