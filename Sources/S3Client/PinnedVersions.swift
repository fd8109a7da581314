import ObjectStore
import SystemSupport

/// The versions that objects without an ETag in their listings had when they were first read: all that is read of them later must
/// be of the same.
struct PinnedVersions {
    /// The fields of a response that tell one version from another.
    struct Pin: Equatable {
        var etag: ETag?
        var lastModified: Timestamp?
    }

    /// The number of pins that take some 5 MB. Beyond it an older one is given up; size and time still tell versions apart then.
    private static let countMax = 16_384

    private var pins: [ObjectVersion: Pin] = [:]

    /// The pin of an object.
    func pin(of object: ObjectVersion) -> Pin? { pins[object] }

    /// Compares a response with the first one for the object, and keeps what that did not tell.
    ///
    /// - Returns: Whether nothing in them differs.
    mutating func admit(_ pin: Pin, for object: ObjectVersion) -> Bool {
        guard let first = pins[object] else {
            if pins.count >= Self.countMax, let other = pins.keys.first { pins[other] = nil }
            pins[object] = pin
            return true
        }
        guard Self.agree(first.etag, pin.etag), Self.agree(first.lastModified, pin.lastModified) else { return false }
        pins[object] = Pin(etag: first.etag ?? pin.etag, lastModified: first.lastModified ?? pin.lastModified)
        return true
    }

    private static func agree<Value: Equatable>(_ first: Value?, _ other: Value?) -> Bool {
        first == nil || other == nil || first == other
    }
}
