import Namespace
import ObjectStore
import FileSystem
import S3Client
import SystemPackage

/// What a report tells of a mount's settings: what may matter for its speed and for what is seen in it. There is no secret among
/// them; where credentials are from stands in the status.
extension MountSettings {
    /// By the names of options.
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
            "sse-c": yesOrNo(configuration.customerKey != nil), "allow-other": yesOrNo(allowsOthers),
            "noexec": yesOrNo(forbidsExecution), "xattrs": yesOrNo(hasExtendedAttributes),
            "uid": .string("\(ownership.userID)"), "gid": .string("\(ownership.groupID)"),
            "file-mode": .string("\(Permissions(ownership.filePermissions))"),
            "inode-bits": .string(inodeBits.rawValue),
            "dir-mode": .string("\(Permissions(ownership.directoryPermissions))"),
        ]
    }
}
