import Dispatch
import ObjectStore
import Synchronization

/// For commands, which have nothing else to do meanwhile.
extension ObjectStore {
    /// Asks for a page of a listing, and waits for it.
    func page(_ request: ListRequest, deadline: ContinuousClock.Instant) throws(StoreError) -> ListPage {
        let answer = Mutex<Result<ListPage, StoreError>?>(nil)
        let arrival = DispatchSemaphore(value: 0)
        list(request, deadline: deadline) { result in
            answer.withLock { $0 = result }
            arrival.signal()
        }
        arrival.wait()
        guard let result = answer.withLock({ $0 }) else { throw StoreError(.timedOut, "no answer") }
        return try result.get()
    }

    /// Gets a range of an object, and waits for the end; the bytes are of no interest.
    func fetch(_ request: RangeRequest, deadline: ContinuousClock.Instant) throws(StoreError) {
        let receiver = EndReceiver()
        get(request, deadline: deadline, receiver: receiver)
        try receiver.wait()
    }
}

/// Waits for the end of a GET.
private final class EndReceiver: RangeReceiver {
    private let result = Mutex<Result<Void, StoreError>?>(nil)
    private let arrival = DispatchSemaphore(value: 0)

    func receive(_ bytes: RawSpan, at offset: Int) {}

    func finish(_ result: Result<Void, StoreError>) {
        self.result.withLock { $0 = result }
        arrival.signal()
    }

    func wait() throws(StoreError) {
        arrival.wait()
        guard let result = result.withLock({ $0 }) else { throw StoreError(.timedOut, "no answer") }
        try result.get()
    }
}
