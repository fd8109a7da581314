import ObjectStore
import TestSupport
import Testing

@testable import FileSystem

@Suite("The log of failures") struct FailureLogTests {
    @Test func `has a few lines, however many requests fail, wherever`() {
        let log = RecordedLog()
        let failures = FailureLog(logger: log.logger)
        for index in 0..<10_000 {
            for code: StoreError.Code in [.accessDenied, .timedOut, .throttled, .malformedResponse, .unreachable] {
                failures.note(StoreError(code, "failure \(index)"), wanting: Key("folder \(index)/f"))
            }
        }
        // A kind each; what may not be read is told of the folders that it concerns, up to a number.
        #expect((5...FailureLog.kindLimit + 5).contains(log.messages.count))
    }
}
