import Glibc
import SystemPackage
import Testing

@testable import SystemSupport

@Suite("Processes as open files") struct ProcessFileTests {
    @Test func `The start of a process is read after a name with any characters`() {
        let fields = (1...19).map { "\($0)" }.joined(separator: " ")
        #expect(ProcessFile.startTime(stat: "7 (a) 3 (b)) S \(fields) 20") == 19)
        #expect(ProcessFile.startTime(stat: "7 (a) S 1 2") == nil)
        #expect(ProcessFile.startTime(stat: "") == nil)
    }

    @Test func `A process has a start, and a number without a process has none`() throws {
        #expect(try #require(ProcessFile.startTime(of: getpid())) >= #require(ProcessFile.startTime(of: getppid())))
        #expect(ProcessFile.startTime(of: Int32.max) == nil)
    }

    @Test func `The end of a process is noticed, and afterwards its number can't be opened`() throws {
        let child = try ChildProcess("/bin/true", [], environment: [])
        let file = try ProcessFile.open(child.id)
        ProcessFile.waitForEnd(of: file)
        try file.close()
        #expect(child.waitForEnd() == .exited(status: 0))
        #expect(throws: Errno.noSuchProcess) { try ProcessFile.open(child.id) }
    }
}
