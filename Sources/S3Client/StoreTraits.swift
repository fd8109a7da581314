internal import Logging
import ObjectStore
import Synchronization

/// The ways of a store that its answers have told, where they differ from S3's. Shared by the network threads of a client.
final class StoreTraits: Sendable {
    private struct State {
        var isMarked = false
        var isEncodingIgnored = false
        var unpacks = false
        var flaws = ListFlaws()
        var pins = PinnedVersions()
    }

    private let state = Mutex(State())
    private let logger: Logger?

    /// Nothing is known yet.
    ///
    /// - Parameter logger: Told of each way once.
    init(logger: Logger? = nil) {
        self.logger = logger
    }

    // MARK: Listings

    /// `true` if the store only knows ListObjects, version 1.
    var isMarked: Bool { state.withLock { $0.isMarked } }

    /// The store only knows ListObjects, version 1.
    func noteMarkers() {
        guard state.withLock({ $0.isMarked.isSetForTheFirstTime() }) else { return }
        logger?.notice("the store does not know ListObjectsV2; folders are listed with ListObjects (version 1)")
    }

    /// `true` if the store does not encode keys, whatever it says.
    var isEncodingIgnored: Bool { state.withLock { $0.isEncodingIgnored } }

    /// The store said of keys that they are encoded, and they were not.
    func noteIgnoredEncoding() {
        guard state.withLock({ $0.isEncodingIgnored.isSetForTheFirstTime() }) else { return }
        logger?.notice("the store announces URL-encoded keys, but sends them as they are; they are read so")
    }

    /// The number of entries of listings that were not as they should be.
    var flaws: ListFlaws { state.withLock { $0.flaws } }

    /// Counts the entries of a page that were not as they should be. The first one of each kind is logged.
    func note(_ flaws: ListFlaws, in listing: String) {
        if flaws.counts.isEmpty { return }
        let newKinds = state.withLock { state in
            let newKinds = flaws.counts.keys.filter { state.flaws.counts[$0] == nil }
            state.flaws.add(flaws)
            return newKinds
        }
        for kind in ListFlaws.Kind.allCases where newKinds.contains(kind) {
            logger?.warning(
                "\(kind.message) (counted in tractfs status)",
                metadata: ["key": "\(flaws.firstKeys[kind] ?? .empty)", "in": "\(listing)"])
        }
    }

    // MARK: Objects

    /// `true` if the store unpacks objects that are stored with Content-Encoding: gzip, unless the client accepts that encoding.
    var unpacks: Bool { state.withLock { $0.unpacks } }

    /// The store unpacks objects.
    func noteUnpacking() {
        guard state.withLock({ $0.unpacks.isSetForTheFirstTime() }) else { return }
        logger?.notice("the store unpacks objects with Content-Encoding: gzip; they are requested as they are stored")
    }

    /// The ETag that an object without one in its listing had in the first response.
    func pinnedETag(of object: ObjectVersion) -> ETag? {
        state.withLock { $0.pins.pin(of: object)?.etag }
    }

    /// Compares a response for an object without an ETag in its listing with the first one.
    ///
    /// - Returns: Whether they are of one version.
    func pin(_ object: ObjectVersion, to pin: PinnedVersions.Pin) -> Bool {
        state.withLock { $0.pins.admit(pin, for: object) }
    }
}

extension Bool {
    /// Sets it. Returns whether it was not set before.
    fileprivate mutating func isSetForTheFirstTime() -> Bool {
        defer { self = true }
        return !self
    }
}
