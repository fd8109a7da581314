import SystemSupport
import Testing

@Suite("Monitors and threads") struct MonitorTests {
    @Test func `A wait of a monitor ends with a value as soon as another thread changes the state`() {
        let monitor = Monitor(0)
        let thread = WorkerThread { monitor.change { $0 = 1 } }
        defer { thread.join() }
        #expect(monitor.waitForValue(atMost: .seconds(60)) { $0 == 1 ? "changed" : nil } == "changed")
    }

    @Test func `A wait of a monitor without a change ends without a value`() {
        let monitor = Monitor(0)
        for timeout: Duration in [.milliseconds(10), .zero, .seconds(-1)] {
            #expect(monitor.waitForValue(atMost: timeout) { $0 == 1 ? "changed" : nil } == nil)
        }
    }
}
