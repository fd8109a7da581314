import Namespace
import ObjectStore
import FileSystem
import S3Client
import SystemPackage
import SystemSupport

/// The settings of a mount in its report: those that may affect its speed and its contents. They contain no secret; the
/// source of the credentials is part of the status.
extension MountSettings {
    /// The settings, by option name.
    var report: JSONObject {
        let yesOrNo = { (isSo: Bool) in JSONObject.Value.string(isSo ? "yes" : "no") }
        let seconds = { (duration: Duration) in "\(Int(duration / .seconds(1)))s" }
        let lifetime =
            switch timeToLive {
            case .limited(let duration): seconds(duration)
            case .forever: "forever"
            }
        return [
            "max-connections": .string("\(configuration.connectionLimit)"),
            "read-timeout": .string(seconds(readTimeout)),
            "memory-limit": .string("\(ByteCount(memory.byteLimit))"),
            "metadata-limit": .string("\(ByteCount(memory.metadataByteLimit))"), "metadata-ttl": .string(lifetime),
            "cache-dir": .string(cache?.directory.string ?? "none (--no-cache)"),
            "cache-size": .string(cache.map { "\(ByteCount($0.byteLimit))" } ?? "none"),
            "addressing-style": .string(configuration.addressingStyle.rawValue),
            "request-payer": yesOrNo(configuration.isRequesterPaying),
            "unordered-listings": yesOrNo(!configuration.listsInOrder),
            "sse-c": yesOrNo(configuration.customerKey != nil), "allow-other": yesOrNo(allowsOthers),
            "noexec": yesOrNo(forbidsExecution), "xattrs": yesOrNo(hasExtendedAttributes),
            "uid": .string("\(ownership.userID)"), "gid": .string("\(ownership.groupID)"),
            "file-mode": .string("\(Permissions(ownership.filePermissions))"),
            "inode-bits": .string(inodeBits.rawValue),
            "dir-mode": .string("\(Permissions(ownership.directoryPermissions))"),
        ]
    }
}
