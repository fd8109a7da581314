/// The receiver of the bytes of a range. It is called by one thread at a time.
public protocol RangeReceiver: AnyObject, Sendable {
    /// Receives the next bytes of the range; the first one is at `offset` in the object. The bytes arrive in order,
    /// each once, even if the store had to retry in the middle. The span is valid only during the call.
    func receive(_ bytes: RawSpan, at offset: Int)

    /// Receives the end: success after all bytes of the range, or an error. The bytes received before an error are
    /// correct and may be used.
    func finish(_ result: Result<Void, StoreError>)
}
