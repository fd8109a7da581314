import ObjectStore
import Synchronization
import SystemSupport
import TestSupport
import Testing

/// Notes what a store delivers.
private final class Recorder: RangeReceiver {
    struct State {
        var bytes: [UInt8] = []
        var results: [Result<Void, StoreError>] = []
    }
    let state = Mutex(State())

    var bytes: [UInt8] { state.withLock { $0.bytes } }
    var errors: [StoreError.Code] {
        state.withLock { $0.results.compactMap { if case .failure(let error) = $0 { error.code } else { nil } } }
    }
    var endCount: Int { state.withLock { $0.results.count } }

    func receive(_ bytes: RawSpan, at offset: Int) {
        state.withLock { state in
            for index in bytes.byteOffsets {
                state.bytes.append(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
            }
        }
    }

    func finish(_ result: Result<Void, StoreError>) {
        state.withLock { $0.results.append(result) }
    }
}

@Suite struct InMemoryStoreTests {
    private let deadline = RunningClock.now + .seconds(60)

    @Test func `a get delivers the range of the version asked for`() throws {
        let store = InMemoryStore()
        let version = store.put("a", .pattern(seed: 1, byteCount: 200_000))
        let recorder = Recorder()
        store.get(RangeRequest(object: version, range: 3..<150_001), deadline: deadline, receiver: recorder)
        try eventually("the end") { recorder.endCount == 1 }
        #expect(recorder.bytes == ObjectBody.pattern(seed: 1, byteCount: 200_000).bytes(in: 3..<150_001))
        #expect(recorder.errors == [])
        #expect(store.requestedByteCount == 149_998)
    }

    @Test func `a get of an overwritten object says changed, of a deleted one no such key`() {
        let store = InMemoryStore(delivery: .inline)
        let version = store.put("a", .text("old"))
        store.put("a", .text("new"))
        let changed = Recorder()
        store.get(RangeRequest(object: version, range: 0..<3), deadline: deadline, receiver: changed)
        store.delete("a")
        let gone = Recorder()
        store.get(RangeRequest(object: version, range: 0..<3), deadline: deadline, receiver: gone)
        #expect(changed.errors == [.changed])
        #expect(gone.errors == [.noSuchKey])
        #expect(changed.bytes + gone.bytes == [])
    }

    @Test func `a held get comes in the pieces that the test lets through`() {
        let store = InMemoryStore(delivery: .inline)
        let version = store.put("a", .text("hello"))
        store.hold()
        let recorder = Recorder()
        store.get(RangeRequest(object: version, range: 1..<5), deadline: deadline, receiver: recorder)
        #expect(recorder.bytes == [])
        store.waiting[0].deliver(first: 2)
        #expect(recorder.bytes == Array("el".utf8))
        store.put("a", .text("HELLO"))
        store.releaseAll()
        #expect(recorder.bytes == Array("ello".utf8))
        #expect(recorder.endCount == 1)
        #expect(store.waiting.isEmpty)
    }

    @Test func `a cancelled request ends once`() {
        let store = InMemoryStore(delivery: .inline)
        let version = store.put("a", .text("hello"))
        store.hold()
        let recorder = Recorder()
        let request = store.get(RangeRequest(object: version, range: 0..<5), deadline: deadline, receiver: recorder)
        request.cancel()
        request.cancel()
        store.releaseAll()
        #expect(recorder.errors == [.cancelled])
        #expect(recorder.endCount == 1)
    }

    @Test func `the requests that shall fail do, and the next one doesn't`() {
        let store = InMemoryStore(delivery: .inline)
        let version = store.put("a", .text("hello"))
        store.failNext(2, with: StoreError(.throttled, "SlowDown: less, please"))
        let recorders = (0..<3).map { _ in Recorder() }
        for recorder in recorders {
            store.get(RangeRequest(object: version, range: 0..<5), deadline: deadline, receiver: recorder)
        }
        #expect(recorders.map(\.errors) == [[.throttled], [.throttled], []])
    }
}
