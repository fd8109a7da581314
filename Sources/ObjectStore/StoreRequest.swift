/// A request in flight.
public protocol StoreRequest: AnyObject, Sendable {
    /// Cancels the request. It still ends once, with `StoreError.Code.cancelled` unless it had already ended.
    func cancel()
}
