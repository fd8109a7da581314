/// The cached addresses of hosts, and the times of their lookups. Has no thread and no clock.
///
/// Addresses are never dropped, since old ones are better than none while no name server responds.
struct AddressBook {
    typealias Instant = ContinuousClock.Instant

    /// The time for which addresses are used without a new lookup. S3's records have a TTL of 5 s, but each answer
    /// contains up to eight machines, and connections last for minutes.
    static let freshness: Duration = .seconds(60)
    /// The time for which addresses are used during a new lookup. Older ones are used only if the lookup fails.
    static let staleness: Duration = .seconds(600)
    /// The interval between lookups that fail.
    static let failureInterval: Duration = .seconds(1)

    /// The state of a host's addresses.
    enum Answer: Equatable {
        case known([String])
        /// The lookup is in progress.
        case pending
        /// The addresses are unknown, and the last lookup failed.
        case failed(LookupFailure)
    }

    private struct Entry {
        var addresses: [String]?
        /// The time of the last successful lookup.
        var knownSince: Instant?
        /// The failure of the last lookup.
        var failure: (reason: LookupFailure, instant: Instant)?
        var isLookingUp = false
        /// `true` if no connection could be made to the addresses.
        var isDoubted = false

        func isDue(now: Instant) -> Bool {
            if isLookingUp { return false }
            if let failure, now - failure.instant < AddressBook.failureInterval { return false }
            guard let knownSince else { return true }
            return now - knownSince >= (isDoubted ? AddressBook.failureInterval : AddressBook.freshness)
        }

        func answer(now: Instant) -> Answer {
            if let addresses, let knownSince {
                let mayUse = failure != nil || now - knownSince < AddressBook.staleness
                return mayUse ? .known(addresses) : .pending
            }
            // The next lookup after a failure may take as long, so the failure is reported in between.
            guard let failure, now - failure.instant < AddressBook.failureInterval else { return .pending }
            return .failed(failure.reason)
        }
    }

    private var entries: [String: Entry] = [:]

    /// Returns the addresses of `host`; `isDue` is `true` if the caller must look them up now.
    mutating func look(up host: String, now: Instant) -> (Answer, isDue: Bool) {
        var entry = entries[host] ?? Entry()
        let isDue = entry.isDue(now: now)
        if isDue { entry.isLookingUp = true }
        entries[host] = entry
        return (entry.answer(now: now), isDue)
    }

    /// Records the result of a lookup.
    mutating func note(_ result: Result<[String], LookupFailure>, of host: String, now: Instant) {
        var entry = entries[host] ?? Entry()
        entry.isLookingUp = false
        switch result {
        case .success(let addresses):
            entry = Entry(addresses: addresses, knownSince: now)
        case .failure(let failure):
            entry.failure = (failure, now)
        }
        entries[host] = entry
    }

    /// Records that no connection could be made to the addresses of `host`, so that they are soon looked up again.
    mutating func noteUnreachable(_ host: String) {
        entries[host]?.isDoubted = true
    }
}

/// The failure of a lookup.
struct LookupFailure: Error, Hashable {
    /// `true` if the name servers report that the name does not exist.
    let isNameUnknown: Bool
    /// The reason and the remedy, for messages.
    let message: String
}
