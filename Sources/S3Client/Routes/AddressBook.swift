/// The addresses of hosts, and when to look them up again. Knows no thread and no clock.
///
/// Addresses are never dropped: those that were right a minute ago are better than none while no name server answers.
struct AddressBook {
    typealias Instant = ContinuousClock.Instant

    /// The time for which addresses are used without a new lookup. S3's records live for 5 s, but each answer names up to eight of its
    /// machines, and connections last for minutes.
    static let freshness: Duration = .seconds(60)
    /// The time for which addresses are used while newer ones are looked up. Older ones wait for the answer, unless there is none.
    static let staleness: Duration = .seconds(600)
    /// The time between two lookups that fail.
    static let failureInterval: Duration = .seconds(1)

    /// The state of a host's addresses.
    enum Answer: Equatable {
        case known([String])
        /// They are being looked up.
        case pending
        /// They are not known, and the last lookup has failed.
        case failed(LookupFailure)
    }

    private struct Entry {
        var addresses: [String]?
        /// The time of the last lookup that succeeded.
        var knownSince: Instant?
        /// The last lookup, where it failed.
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
            // A lookup that follows one that failed may take as long: requests are told in between.
            guard let failure, now - failure.instant < AddressBook.failureInterval else { return .pending }
            return .failed(failure.reason)
        }
    }

    private var entries: [String: Entry] = [:]

    /// Returns the addresses of `host`, and whether the caller is to look them up now.
    mutating func look(up host: String, now: Instant) -> (Answer, isDue: Bool) {
        var entry = entries[host] ?? Entry()
        let isDue = entry.isDue(now: now)
        if isDue { entry.isLookingUp = true }
        entries[host] = entry
        return (entry.answer(now: now), isDue)
    }

    /// Takes the result of a lookup.
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

    /// No connection could be made to the addresses of `host`: the next use looks for others.
    mutating func noteUnreachable(_ host: String) {
        entries[host]?.isDoubted = true
    }
}

/// The reason why a lookup has failed.
struct LookupFailure: Error, Hashable {
    /// `true` if the name servers have answered that there is no such name.
    let isNameUnknown: Bool
    /// The reason and the remedy, for a person.
    let message: String
}
