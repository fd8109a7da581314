public import ObjectStore
public import SystemSupport

/// Something whose objects a test puts there and takes away: the store in memory, and the test server.
public protocol ObjectHolder {
    /// Changes the objects, in one step as seen by those who read them.
    func change<Result: Sendable>(_ body: (inout StoreContents) -> Result) -> Result
}

extension ObjectHolder {
    /// Writes an object, over the one of the same key if there is one. By default with an ETag that no other has.
    @discardableResult
    public func put(
        _ key: Key, _ body: ObjectBody, etag: ETag? = nil,
        lastModified: Timestamp = StoreContents.defaultLastModified, storageClass: String = "STANDARD"
    ) -> ObjectVersion {
        change { $0.put(key, body, etag: etag, lastModified: lastModified, storageClass: storageClass) }
    }

    /// Writes many objects at once.
    public func put(_ bodies: [Key: ObjectBody]) {
        change { $0.put(bodies) }
    }

    /// Removes an object.
    public func delete(_ key: Key) {
        change { $0.delete(key) }
    }
}
