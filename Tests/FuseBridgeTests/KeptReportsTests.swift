import CFuse
import FileSystem
import SystemPackage
import Testing

@testable import FuseBridge

/// A report that is handed out page by page.
@Suite("Pages of a report") struct KeptReportsTests {
    private let directory = Handle(rawValue: 1)

    /// Asks for all pages as a command does.
    private func read(_ reports: KeptReports, _ report: [UInt8]) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let offset = try #require(ReportPage.question(offset: bytes.count).withUnsafeBytes(ReportPage.offset))
            let answer = try reports.page(at: offset, for: directory) { report }
            #expect(answer.count <= TRACTFS_REPORT_BYTE_COUNT)
            // What the kernel gives back has the size of what was passed.
            let padding = [UInt8](repeating: 0, count: TRACTFS_REPORT_BYTE_COUNT - answer.count)
            let page = ReportPage(answer: answer + padding)
            bytes += page.bytes
            if page.bytes.isEmpty || bytes.count >= page.totalByteCount { return bytes }
        }
    }

    @Test(arguments: [0, 1, ReportPage.byteCountMax, ReportPage.byteCountMax + 1, 100_000])
    func `are the report when they are put together`(byteCount: Int) throws {
        let report = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 / 7) }
        #expect(try read(KeptReports(), report) == report)
    }

    @Test func `are those of one report, until it is asked for from the beginning`() throws {
        let reports = KeptReports()
        let old = [UInt8](repeating: 1, count: 2 * ReportPage.byteCountMax)
        _ = try reports.page(at: 0, for: directory) { old }
        let next = try reports.page(at: ReportPage.byteCountMax, for: directory) { [2] }
        #expect(ReportPage(answer: next).bytes.allSatisfy { $0 == 1 })
        #expect(ReportPage(answer: try reports.page(at: 0, for: directory) { [2] }).bytes == [2])
    }

    @Test func `are kept for a few directories, until these are closed`() throws {
        let reports = KeptReports()
        for number in 1...KeptReports.countMax {
            _ = try reports.page(at: 0, for: Handle(rawValue: UInt64(number))) { [1] }
        }
        let another = Handle(rawValue: 99)
        #expect(throws: Errno.resourceBusy) { try reports.page(at: 0, for: another) { [1] } }
        reports.remove(directory)
        #expect(throws: Errno.noData) { try reports.page(at: 5, for: directory) { [1] } }
        _ = try reports.page(at: 0, for: another) { [1] }
    }

    @Test func `aren't given for what isn't of our making`() {
        #expect([UInt8](repeating: 0, count: 8).withUnsafeBytes(ReportPage.offset) == nil)
        let huge = [UInt8](repeating: 0xff, count: TRACTFS_REPORT_BYTE_COUNT)
        #expect(huge.withUnsafeBytes(ReportPage.offset) == nil)
    }
}
