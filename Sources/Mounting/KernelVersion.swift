import Glibc

/// A version of Linux, as far as features depend on it.
public struct KernelVersion: Hashable, Comparable, Sendable {
    /// The major version.
    public let major: Int
    /// The minor version.
    public let minor: Int

    /// Creates the version `major.minor`.
    public init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Parses a release as printed by `uname -r`: "6.18.44-fc-v657", "5.15.0-105-generic", "7.0-rc1".
    init?(release: some StringProtocol) {
        let numbers = release.split(separator: ".", maxSplits: 2)
        guard numbers.count >= 2, let major = Int(numbers[0]),
            let minor = Int(numbers[1].prefix { $0.isASCII && $0.isNumber })
        else { return nil }
        self.init(major, minor)
    }

    /// The release of the running kernel, as printed by `uname -r`.
    static var runningRelease: String? {
        var name = utsname()
        guard uname(&name) == 0 else { return nil }
        return withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// Returns the version of the running kernel; `nil` if it is unknown.
    public static func running() -> KernelVersion? {
        runningRelease.flatMap { KernelVersion(release: $0) }
    }

    /// Compares two versions.
    public static func < (left: KernelVersion, right: KernelVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    /// `true` if the kernel can read backing files itself (FUSE_PASSTHROUGH), provided that it was built with that.
    var hasPassthrough: Bool { self >= KernelVersion(6, 9) }

    /// `true` if the kernel can send unanswered requests again (FUSE_HAS_RESEND).
    var resendsRequests: Bool { self >= KernelVersion(6, 9) }

    /// `true` if FOPEN_CACHE_DIR is safe to use. From 6.9 to 6.12 the kernel doesn't always drop its cached entries of
    /// a directory that is opened without FOPEN_KEEP_CACHE, and then shows outdated entries
    /// (GoogleCloudPlatform/gcsfuse#2792).
    public var copiesDirectoriesWell: Bool {
        self < KernelVersion(6, 9) || self > KernelVersion(6, 12)
    }
}
