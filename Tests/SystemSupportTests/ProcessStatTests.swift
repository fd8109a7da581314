import Glibc
import SystemSupport
import Testing

@Suite("The status of processes") struct ProcessStatTests {
    @Test func `The status of a process is read after a name with any characters`() throws {
        let fields = (1...19).map { "\($0)" }.joined(separator: " ")
        let stat = try #require(ProcessStat("7 (a) 3 (b)) S \(fields) 20"))
        #expect(stat.state == "S" && stat.parent == 1 && stat.startTime == 19)
        let short = try #require(ProcessStat("7 (a) S 1 2"))
        #expect(short.state == "S" && short.parent == 1 && short.startTime == nil)
        #expect(ProcessStat("7 (a)") == nil && ProcessStat("") == nil)
    }

    @Test func `A process has a start after that of its parent, and a number without a process has no status`() throws {
        let stat = try #require(ProcessStat(of: getpid()))
        #expect(stat.parent == getppid() && !stat.hasEnded && !stat.isStopped)
        #expect(try #require(stat.startTime) >= #require(ProcessStat(of: getppid())?.startTime))
        #expect(ProcessStat(of: Int32.max) == nil)
    }
}
