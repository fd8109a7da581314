import Glibc
import ObjectStore
package import S3Client
package import SystemPackage
import SystemSupport

/// The mounts that a table in a configuration file is for.
package enum SettingScope {
    /// All mounts.
    case general
    /// The mounts of a bucket, or of a prefix and below.
    case bucket(S3URI)
    /// The mount on a path, which is absolute and lexically normal.
    case mountPoint(FilePath)
}

/// The mount that settings are looked up for.
package struct SettingTarget {
    /// The bucket, or the prefix in it; `nil` if there is none.
    let uri: S3URI?
    /// The mount point as it was given, and with links followed; empty if there is none.
    private let mountPoints: Set<FilePath>

    /// Creates the target of a command.
    ///
    /// - Parameters:
    ///   - uri: As the user gives it. An invalid one is ignored: the command reports it.
    ///   - mountPoint: As the user gives it.
    package init(uri: String?, mountPoint: String?) {
        self.uri = uri.flatMap { try? S3URI(parsing: $0) }
        let path = mountPoint.map(AbsolutePath.of)
        mountPoints = Set(
            [path, path.flatMap(Self.resolved)].compactMap { $0.map { FilePath($0).lexicallyNormalized() } })
    }

    /// All mounts of `scope`.
    package init(_ scope: SettingScope) {
        switch scope {
        case .general: (uri, mountPoints) = (nil, [])
        case .bucket(let uri): (self.uri, mountPoints) = (uri, [])
        case .mountPoint(let path): (uri, mountPoints) = (nil, [path])
        }
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Returns how closely `scope` fits this mount, as a rank: the greater, the nearer; `nil` if it doesn't include it.
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
