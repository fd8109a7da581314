import ObjectStore

/// The failure of one attempt of a request, and its remedy.
struct AttemptFailure: Error, Equatable {
    /// The action that may help after a failure.
    enum Remedy: Equatable {
        /// No action: the error is final.
        case none
        /// Retry after a pause.
        case backOff
        /// Retry once in the bucket's own region.
        case useRegion(String)
        /// Retry once, signed with a clock that is set forward by this number of seconds.
        case setClock(seconds: Int)
        /// Retry with other credentials.
        case renewCredentials
        /// Retry in the other form that the operation now has.
        case askOtherwise
    }

    var error: StoreError
    let remedy: Remedy
    /// The text of the store, without the subject of the request; empty if there is none.
    var answer = ""
    /// `true` if the store does not support the request.
    var isUnknownRequest = false
    /// The pause that the store has requested.
    var retryAfter: Duration?

    init(_ error: StoreError, remedy: Remedy = .none, answer: String = "") {
        self.error = error
        self.remedy = remedy
        self.answer = answer
    }
}
