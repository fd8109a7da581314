import BlockCache
import ObjectStore
import SystemPackage
import SystemSupport

/// The objects of a cache as text, for people and for programs.
struct CacheListing {
    private let folder: FilePath
    /// The most recently used first.
    private let objects: [DiskCacheDirectory.Object]

    /// What is in `cache` now.
    init(of cache: OpenedCache) throws(DiskCacheError) {
        var objects: [DiskCacheDirectory.Object] = []
        try cache.directory.forEachObject { objects.append($0) }
        self.init(objects, in: cache.folder)
    }

    /// A listing of `objects`, in any order, of the cache in `folder`.
    init(_ objects: [DiskCacheDirectory.Object], in folder: FilePath) {
        self.folder = folder
        self.objects = objects.sorted { left, right in
            left.lastUse == right.lastUse ? left.version.key < right.version.key : left.lastUse > right.lastUse
        }
    }

    // MARK: For people

    /// A line for each object, in columns, and one for all of them.
    var table: String {
        let table = TextTable(
            headings: ["ON DISK", "SIZE", "STATE", "LAST USED", "OBJECT"], rows: objects.map(CacheListing.row),
            numericColumns: 0..<2)
        return (table.lines + [summary]).map { $0 + "\n" }.joined()
    }

    private static func row(_ object: DiskCacheDirectory.Object) -> [String] {
        [
            ByteCount(object.allocatedByteCount).rounded, ByteCount(object.version.byteCount).rounded,
            state(object), object.lastUse.localText,
            CachedObjectName(object).description,
        ]
    }

    private static func state(_ object: DiskCacheDirectory.Object) -> String {
        (object.isComplete ? "complete" : "part") + (object.isPinned ? ", kept" : "")
    }

    private var summary: String {
        let byteCount = objects.reduce(0) { $0 + $1.allocatedByteCount }
        let completeCount = objects.count { $0.isComplete }
        let keptCount = objects.count { $0.isPinned }
        let kept = keptCount > 0 ? ", \(keptCount) kept" : ""
        return
            "\(ObjectCount(objects.count)) (\(completeCount) complete\(kept)), \(ByteCount(byteCount).rounded) in \(folder)"
    }

    // MARK: For programs

    /// A line of JSON for each object.
    var json: String {
        objects.map { CacheListing.json($0).description + "\n" }.joined()
    }

    private static func json(_ object: DiskCacheDirectory.Object) -> JSONObject {
        let name = CachedObjectName(object)
        return [
            "uri": .string("s3://\(name.bucket)/\(name.keyText)"),
            "endpoint": name.endpoint.map { .string($0) } ?? .null,
            "bucket": .string(name.bucket), "key": .string(name.keyText),
            "etag": object.version.etag.isStandIn ? .null : .string(object.version.etag.text),
            "size": .number(object.version.byteCount), "cached_bytes": .number(object.cachedByteCount),
            "disk_bytes": .number(object.allocatedByteCount), "complete": .bool(object.isComplete),
            "kept": .bool(object.isPinned),
            "last_used": .string(object.lastUse.utcText),
        ]
    }
}
