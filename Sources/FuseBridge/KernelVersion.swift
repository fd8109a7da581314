import Glibc

/// The major and minor version of Linux.
struct KernelVersion: Hashable, Comparable {
    let major: Int
    let minor: Int

    init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Parses a release as `uname -r` prints it: "6.18.44-fc-v657", "5.15.0-105-generic", "7.0-rc1".
    init?(release: some StringProtocol) {
        let numbers = release.split(separator: ".", maxSplits: 2)
        guard numbers.count >= 2, let major = Int(numbers[0]),
            let minor = Int(numbers[1].prefix { $0.isASCII && $0.isNumber })
        else { return nil }
        self.init(major, minor)
    }

    /// Returns the version of the running kernel; `nil` if it is unknown.
    static func running() -> KernelVersion? {
        var name = utsname()
        guard uname(&name) == 0 else { return nil }
        return withUnsafeBytes(of: name.release) { bytes in
            KernelVersion(release: String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self))
        }
    }

    static func < (left: KernelVersion, right: KernelVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    /// `true` if the kernel supports backing files (FUSE_PASSTHROUGH), unless it was built without them.
    var hasPassthrough: Bool { self >= KernelVersion(6, 9) }

    /// `true` if the kernel can resend requests that were read and not answered (FUSE_HAS_RESEND).
    var resendsRequests: Bool { self >= KernelVersion(6, 9) }

    /// `true` if FOPEN_CACHE_DIR is reliable. From 6.9 to 6.12 the kernel does not always drop its cached entries when
    /// a directory is opened without FOPEN_KEEP_CACHE, and then returns outdated ones (GoogleCloudPlatform/gcsfuse#2792).
    var copiesDirectoriesWell: Bool {
        self < KernelVersion(6, 9) || self > KernelVersion(6, 12)
    }
}
