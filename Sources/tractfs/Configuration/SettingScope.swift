import Mounting
import ObjectStore
import S3Client
import SystemPackage

/// What the settings of a table in a configuration file are for.
enum SettingScope {
    /// Everything.
    case general
    /// A bucket, or what is below a prefix in it.
    case bucket(S3URI)
    /// What is mounted on a path, which is absolute and lexically normal.
    case mountPoint(FilePath)
}

/// What settings are asked for.
struct SettingTarget {
    /// The bucket, or the prefix in it; `nil` where there is none.
    let uri: S3URI?
    /// The mount point, as it was given and with links followed; empty where there is none.
    private let mountPoints: Set<FilePath>

    /// - Parameters:
    ///   - uri: As the user gives it. One that can't be read is none: the command tells why.
    ///   - mountPoint: As the user gives it.
    init(uri: String?, mountPoint: String?) {
        self.uri = uri.flatMap { try? S3URI(parsing: $0) }
        let path = mountPoint.map(AbsolutePath.of)
        mountPoints = Set(
            [path, path.flatMap(MountPoint.resolve)].compactMap { $0.map { FilePath($0).lexicallyNormalized() } })
    }

    /// Everything about `scope`.
    init(_ scope: SettingScope) {
        switch scope {
        case .general: (uri, mountPoints) = (nil, [])
        case .bucket(let uri): (self.uri, mountPoints) = (uri, [])
        case .mountPoint(let path): (uri, mountPoints) = (nil, [path])
        }
    }

    /// How much `scope` is about this: the more, the nearer; `nil` where it isn't.
    func nearness(of scope: SettingScope) -> Int? {
        switch scope {
        case .general: return 0
        case .bucket(let scope):
            guard let uri, uri.bucket == scope.bucket, uri.root.hasPrefix(scope.root) else { return nil }
            return 1 + scope.root.bytes.count
        case .mountPoint(let path): return mountPoints.contains(path) ? Int.max : nil
        }
    }
}
