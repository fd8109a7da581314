import Glibc
import SystemPackage
import Testing

@testable import SystemSupport

@Suite("Processes as open files") struct ProcessFileTests {
    @Test func `The end of a process is noticed, and afterwards its number can't be opened`() throws {
        let child = try ChildProcess("/bin/true", [], environment: [])
        let file = try ProcessFile.open(child.id)
        ProcessFile.waitForEnd(of: file)
        try file.close()
        #expect(child.waitForEnd() == .exited(status: 0))
        #expect(throws: Errno.noSuchProcess) { try ProcessFile.open(child.id) }
    }
}
