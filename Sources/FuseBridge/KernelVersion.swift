import Glibc

/// A version of Linux, as far as it matters here.
struct KernelVersion: Hashable, Comparable {
    let major: Int
    let minor: Int

    init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// The version in a release as "uname -r" prints it: "6.18.44-fc-v657", "5.15.0-105-generic", "7.0-rc1".
    init?(release: some StringProtocol) {
        let numbers = release.split(separator: ".", maxSplits: 2)
        guard numbers.count >= 2, let major = Int(numbers[0]),
            let minor = Int(numbers[1].prefix { $0.isASCII && $0.isNumber })
        else { return nil }
        self.init(major, minor)
    }

    /// That of the running kernel; `nil` where it doesn't say.
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

    /// Whether it can read files that it is lent (FUSE_PASSTHROUGH), if it was built so.
    var hasPassthrough: Bool { self >= KernelVersion(6, 9) }

    /// Whether it can hand out again what was taken and not answered (FUSE_HAS_RESEND).
    var resendsRequests: Bool { self >= KernelVersion(6, 9) }

    /// Whether FOPEN_CACHE_DIR can be used. From 6.9 to 6.12 the kernel doesn't always drop its copy of a directory when
    /// one is opened without FOPEN_KEEP_CACHE, and so would show what was there before (mountpoint for Google Cloud
    /// Storage, issue 2792).
    var copiesDirectoriesWell: Bool {
        self < KernelVersion(6, 9) || self > KernelVersion(6, 12)
    }
}
