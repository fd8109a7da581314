/// A request as it was sent once.
struct Attempt {
    /// What carries it.
    let transfer: Transfer
    let request: ClientContext.SignedRequest
    /// `true` if it is the second beside another one.
    let isHedge: Bool
}
