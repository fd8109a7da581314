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
        /// Look for other credentials, and sign with those.
        case renewCredentials
        /// Send the request in the other form that the operation has by now.
        case askOtherwise
    }

    var error: StoreError
    let remedy: Remedy
    /// What the store said, without what it was asked for; empty where it said nothing.
    var answer = ""
    /// `true` if the store says that it does not know such a request.
    var isUnknownRequest = false
    /// How long the store wants to be left alone, where it says that.
    var retryAfter: Duration?

    init(_ error: StoreError, remedy: Remedy = .none, answer: String = "") {
        self.error = error
        self.remedy = remedy
        self.answer = answer
    }
}
