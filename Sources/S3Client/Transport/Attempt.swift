/// One attempt of a request.
struct Attempt {
    /// The transfer that carries the attempt.
    let transfer: Transfer
    let request: ClientContext.SignedRequest
    /// `true` for a hedge: a second attempt beside another one.
    let isHedge: Bool
}
