import ObjectStore
import TestSupport
import Testing

@testable import FileSystem

@Suite("The log of failures") struct FailureLogTests {
    @Test func `many failed requests cause few log lines`() {
        let log = RecordedLog()
        let failures = FailureLog(logger: log.logger)
        for index in 0..<10_000 {
            for code: StoreError.Code in [.accessDenied, .timedOut, .throttled, .malformedResponse, .unreachable] {
                failures.note(StoreError(code, "failure \(index)"), wanting: Key("folder \(index)/f"))
            }
        }
        // One line for each kind; denied access for each folder, up to a limit.
        #expect((5...FailureLog.kindLimit + 5).contains(log.messages.count))
    }
}
