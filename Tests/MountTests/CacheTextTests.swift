import ObjectStore
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import BlockCache
@testable import tractfs

/// How `tractfs cache` words what it finds.
@Suite struct CacheTextTests {
    private static func object(
        _ key: Key, byteCount: Int, cachedByteCount: Int? = nil, lastUse: Int, source: String = "aws/hcp-openaccess",
        isKept: Bool = false
    ) -> DiskCacheDirectory.Object {
        DiskCacheDirectory.Object(
            source: source, version: ObjectVersion(key: key, etag: ETag("\"e\""), byteCount: byteCount),
            cachedByteCount: cachedByteCount ?? byteCount, allocatedByteCount: (cachedByteCount ?? byteCount) + 4_096,
            lastUse: Timestamp(seconds: lastUse), isPinned: isKept)
    }

    @Test(
        "a number of bytes is rounded to what people read",
        arguments: [
            (0, "0B"), (1, "1B"), (999, "999B"), (1_000, "1.0KiB"), (1_023, "1.0KiB"), (1_024, "1.0KiB"),
            (1_536, "1.5KiB"), (10_188, "9.9KiB"), (10_200, "10KiB"), (1_022_975, "999KiB"), (1_023_489, "1.0MiB"),
            (10 << 30, "10GiB"), (1 << 30, "1.0GiB"), (1_234_567_890, "1.1GiB"), (5 << 40, "5.0TiB"),
            (Int.max, "8388608TiB"),
        ])
    func rounding(byteCount: Int, text: String) {
        #expect(ByteCount(byteCount).rounded == text)
    }

    @Test(
        "without --cache-dir the folder is where the user's caches are, or the system's for root",
        arguments: [
            (["HOME": "/home/a"], false, "/home/a/.cache/tractfs"),
            (["HOME": "/home/a", "XDG_CACHE_HOME": "/b"], false, "/b/tractfs"),
            (["HOME": "/home/a", "XDG_CACHE_HOME": "b"], false, "/home/a/.cache/tractfs"),
            (["HOME": "/root", "XDG_CACHE_HOME": "/b"], true, "/var/cache/tractfs"), ([:], true, "/var/cache/tractfs"),
            ([:], false, nil), (["HOME": ""], false, nil),
        ] as [([String: String], Bool, FilePath?)])
    func folder(environment: [String: String], isRoot: Bool, folder: FilePath?) {
        let standard = try? CacheSettings.standardDirectory(environment: environment, isRoot: isRoot)
        #expect(standard == folder)
    }

    @Test func `a listing has its columns in line, the last used first`() {
        let listing = CacheListing(
            [
                Self.object("a", byteCount: 3, lastUse: 1_600_000_000),
                Self.object("b/c.nii", byteCount: 5 << 30, cachedByteCount: 1 << 20, lastUse: 1_700_000_000),
                Self.object("\u{1b}[2J", byteCount: 1 << 20, lastUse: 1_600_000_000, source: "http://h:9000/s3/bucket"),
            ], in: "/cache")
        let times = [1_700_000_000, 1_600_000_000].map { Timestamp(seconds: $0).localText }
        #expect(
            listing.table == """
                ON DISK    SIZE  STATE     LAST USED         OBJECT
                 1.0MiB  5.0GiB  part      \(times[0])  s3://hcp-openaccess/b/c.nii
                 1.0MiB  1.0MiB  complete  \(times[1])  s3://bucket/\\u{1B}[2J (http://h:9000/s3)
                 4.0KiB      3B  complete  \(times[1])  s3://hcp-openaccess/a
                3 objects (2 complete), 2.0MiB in /cache

                """)
        let kept = CacheListing([Self.object("a", byteCount: 3, lastUse: 1_600_000_000, isKept: true)], in: "/cache")
        #expect(kept.table.contains("complete, kept  "))
        #expect(kept.table.hasSuffix("1 object (1 complete, 1 kept), 4.0KiB in /cache\n"))
        #expect(CacheListing([], in: "/cache").table == "0 objects (0 complete), 0B in /cache\n")
        #expect(CacheListing([], in: "/cache").json == "")
    }

    @Test func `JSON has raw numbers, and nothing in it that ends a line`() {
        let listing = CacheListing([Self.object("q\"\\\n\u{7f}é", byteCount: 3, lastUse: 1_600_000_000)], in: "/cache")
        let key = #"q\"\\\u000a\u007fé"#
        #expect(
            listing.json == """
                {"uri": "s3://hcp-openaccess/\(key)", "endpoint": null, "bucket": "hcp-openaccess", "key": "\(key)", \
                "etag": "\\"e\\"", "size": 3, "cached_bytes": 3, "disk_bytes": 4099, "complete": true, \
                "kept": false, "last_used": "2020-09-13T12:26:40Z"}

                """)
    }

    @Test func `a check of the cache is told object by object, and all together`() {
        var report = VerificationReport(folder: "/cache")
        #expect("\(report)" == "0 objects, 0B checked in /cache: all right")
        let object = Self.object("a\nb", byteCount: 3 << 20, lastUse: 0)
        report.add(object, isDamaged: false)
        #expect("\(report)" == "1 object, 3.0MiB checked in /cache: all right")
        report.add(object, isDamaged: true)
        report.add(nonsenseCount: 2)
        #expect("\(report)" == "4 objects, 6.0MiB checked in /cache: 3 objects damaged")
        let name = #"damaged: s3://hcp-openaccess/a\nb: "#
        let again = ", will be fetched again"
        #expect(VerificationReport.line(object, .blocks(1)) == name + "1 block dropped" + again)
        #expect(VerificationReport.line(object, .blocks(7)) == name + "7 blocks dropped" + again)
        #expect(VerificationReport.line(object, .object) == name + "dropped as a whole" + again)
        #expect(VerificationReport.line(object, .stays) == name + "can't be dropped, because the disk is read-only")
    }

    @Test func `progress is one line, and leaves nothing behind`() {
        let written = Written()
        var line = ProgressLine(
            "checked", totalByteCount: 2 << 20, on: OverwrittenLine(delay: .zero) { written.texts.append($0) })
        line.erase()
        #expect(written.texts.isEmpty)
        line.add(1 << 20)
        line.add(1 << 20)
        #expect(written.texts.first == "\r\u{1b}[Kchecked 1.0MiB of 2.0MiB")
        line.erase()
        #expect(written.texts.last == "\r\u{1b}[K")
        let count = written.texts.count
        line.erase()
        #expect(written.texts.count == count)
    }

    @Test func `progress is not shown where nobody watches`() {
        var line = ProgressLine("checked", totalByteCount: 1, on: OverwrittenLine(delay: .zero, write: nil))
        line.add(1)
        line.erase()
    }

    private final class Written {
        var texts: [String] = []
    }
}
