/// One attempt of a request.
struct Attempt {
    /// The transfer that carries the attempt.
    let transfer: Transfer
    let request: ClientContext.SignedRequest
    /// The reason for a hedge, a second attempt beside another one; `nil` for any other attempt.
    let hedgeReason: HedgeReason?
}
