import ObjectStore
import Synchronization

/// What is known of one directory: its listing and what was asked beyond it, renewed when their time is over.
final class Directory: Sendable {
    /// What was learnt in one go, and expires in one go.
    struct Knowledge {
        let listing: Listing
        let probes: NameProbes
        let expiry: Expiry
    }

    private let prefix: Key
    private let source: ListingSource
    private let timeToLive: TimeToLive
    private let current = Mutex<Knowledge?>(nil)

    /// Nothing is asked of the store until somebody wants to know.
    init(prefix: Key, source: ListingSource, timeToLive: TimeToLive) {
        self.prefix = prefix
        self.source = source
        self.timeToLive = timeToLive
    }

    /// How many entries are kept in memory for it.
    var entryCount: Int {
        listing?.entryCount ?? 0
    }

    /// The listing as it is, be its time over or not; `nil` before anybody asked.
    var listing: Listing? {
        current.withLock { $0?.listing }
    }

    /// What is known now, begun anew where it has expired. Its time starts before the first request is sent, so that no
    /// answer is older than the time to live.
    func knowledge() -> Knowledge {
        let now = ContinuousClock.now
        return current.withLock { current in
            if let current, !current.expiry.isOver(at: now) { return current }
            let renewed = Knowledge(
                listing: Listing(prefix: prefix, source: source),
                probes: NameProbes(prefix: prefix, source: source),
                expiry: timeToLive.expiry(from: now))
            current = renewed
            return renewed
        }
    }

    /// The entry `name`, or `nil` where there is none, and until when that holds.
    func lookup(
        _ name: Name, completion: @escaping @Sendable (Result<(DirectoryEntry?, Expiry), StoreError>) -> Void
    ) {
        let knowledge = knowledge()
        knowledge.listing.lookup(name) { result in
            switch result {
            case .success(.present(let entry)): completion(.success((entry, knowledge.expiry)))
            case .success(.absent): completion(.success((nil, knowledge.expiry)))
            case .success(.unknown):
                knowledge.probes.lookup(name) { result in completion(result.map { ($0, knowledge.expiry) }) }
            case .failure(let error): completion(.failure(error))
            }
        }
    }
}
