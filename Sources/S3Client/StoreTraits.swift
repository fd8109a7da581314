internal import Logging
import ObjectStore
import Synchronization

/// The ways in which a store differs from S3, as learned from its responses. Shared by the network threads of a client.
final class StoreTraits: Sendable {
    private struct State {
        var isMarked = false
        var isEncodingIgnored = false
        var unpacks = false
        var flaws = ListFlaws()
        var firstValidators = FirstValidators()
    }

    private let state = Mutex(State())
    private let logger: Logger?

    /// Creates the traits of a store that has not responded yet.
    ///
    /// - Parameter logger: Receives one message for each difference.
    init(logger: Logger? = nil) {
        self.logger = logger
    }

    // MARK: Listings

    /// `true` if the store only supports ListObjects, version 1.
    var isMarked: Bool { state.withLock { $0.isMarked } }

    /// Records that the store only supports ListObjects, version 1.
    func noteMarkers() {
        guard state.withLock({ $0.isMarked.isSetForTheFirstTime() }) else { return }
        logger?.notice("the store does not know ListObjectsV2; folders are listed with ListObjects (version 1)")
    }

    /// `true` if the store sends keys unencoded although it declares them as encoded.
    var isEncodingIgnored: Bool { state.withLock { $0.isEncodingIgnored } }

    /// Records that the store declared keys as encoded and sent them unencoded.
    func noteIgnoredEncoding() {
        guard state.withLock({ $0.isEncodingIgnored.isSetForTheFirstTime() }) else { return }
        logger?.notice("the store declares URL-encoded keys, but sends them unencoded; reading them as they are")
    }

    /// The number of entries in listings with each kind of flaw.
    var flaws: ListFlaws { state.withLock { $0.flaws } }

    /// Adds the flaws of a page. The first of each kind is logged.
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

    /// `true` if the store decompresses objects with Content-Encoding: gzip, unless the client accepts that encoding.
    var unpacks: Bool { state.withLock { $0.unpacks } }

    /// Records that the store decompresses objects.
    func noteUnpacking() {
        guard state.withLock({ $0.unpacks.isSetForTheFirstTime() }) else { return }
        logger?.notice("the store unpacks objects with Content-Encoding: gzip; they are requested as they are stored")
    }

    /// Returns the ETag in the first response for an object that has none in its listing.
    func firstETag(of object: ObjectVersion) -> ETag? {
        state.withLock { $0.firstValidators.validators(of: object)?.etag }
    }

    /// Compares a response for an object that has no ETag in its listing with the first one.
    ///
    /// - Returns: `false` if the two responses are of different versions.
    func matchesFirst(_ object: ObjectVersion, _ validators: FirstValidators.Validators) -> Bool {
        state.withLock { $0.firstValidators.record(validators, of: object) }
    }
}

extension Bool {
    /// Sets the value, and returns `true` if it was not set before.
    fileprivate mutating func isSetForTheFirstTime() -> Bool {
        defer { self = true }
        return !self
    }
}
