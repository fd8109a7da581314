import FileSystem
import MountControl
import Namespace
import ObjectStore
import S3Client
import Settings
import SystemPackage
import SystemSupport

/// The settings of a mount in its report: those that may affect its speed and its contents. They contain no secret; the
/// source of the credentials is part of the status.
extension MountSettings {
    /// The settings, by option name.
    var report: NamedValues<String> {
        let yesOrNo = { (isSo: Bool) in isSo ? "yes" : "no" }
        let seconds = { (duration: Duration) in "\(Int(duration / .seconds(1)))s" }
        let lifetime =
            switch timeToLive {
            case .limited(let duration): seconds(duration)
            case .forever: "forever"
            }
        return [
            "max-connections": "\(configuration.connectionLimit)",
            "read-timeout": seconds(readTimeout),
            "memory-limit": "\(ByteCount(memory.byteLimit))",
            "metadata-limit": "\(ByteCount(memory.metadataByteLimit))", "metadata-ttl": lifetime,
            "cache-dir": cache?.directory.string ?? "none (--no-cache)",
            "cache-size": cache.map { "\(ByteCount($0.byteLimit))" } ?? "none",
            "refetch": cache.map { yesOrNo($0.isRefetching) } ?? "none",
            "addressing-style": configuration.addressingStyle.rawValue,
            "request-payer": yesOrNo(configuration.isRequesterPaying),
            "unordered-listings": yesOrNo(!configuration.listsInOrder),
            "sse-c": yesOrNo(configuration.customerKey != nil), "allow-other": yesOrNo(allowsOthers),
            "noexec": yesOrNo(forbidsExecution), "xattrs": yesOrNo(hasExtendedAttributes),
            "uid": "\(ownership.userID)", "gid": "\(ownership.groupID)",
            "file-mode": "\(Permissions(ownership.filePermissions))",
            "inode-bits": inodeBits.rawValue,
            "dir-mode": "\(Permissions(ownership.directoryPermissions))",
        ]
    }
}
