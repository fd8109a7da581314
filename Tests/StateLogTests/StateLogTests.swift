import Logging
import StateLog
import Testing

@Suite("The state log") struct StateLogTests {
    @Test func `has nothing at first`() throws {
        let log = try StateLog.create(logger: Logger(label: "test"))
        #expect(try log.words(.openFile).isEmpty)
    }
}
