import ObjectStore

/// Why one attempt of a request failed, and what would help.
struct AttemptFailure: Error, Equatable {
    /// What may be done about a failure.
    enum Remedy: Equatable {
        /// Nothing: the error is final.
        case none
        /// Wait a little and try again.
        case backOff
        /// Ask the bucket's own region, once.
        case useRegion(String)
        /// Sign with a clock that is set forward by so many seconds, once.
        case setClock(seconds: Int)
    }

    let error: StoreError
    let remedy: Remedy

    init(_ error: StoreError, remedy: Remedy = .none) {
        self.error = error
        self.remedy = remedy
    }
}
