import CommandOutput
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
}
