import CFuse
import FileSystem
import Glibc
import Synchronization
import struct SystemPackage.Errno

/// A piece of a report, as it is passed (CFuse.h).
struct ReportPage {
    let totalByteCount: Int
    let bytes: [UInt8]

    /// How many bytes of a report fit into a page.
    static let byteCountMax = TRACTFS_REPORT_BYTE_COUNT - MemoryLayout<tractfs_report_page>.size

    /// What asks for the page that begins at `offset`, with room for the answer.
    static func question(offset: Int) -> [UInt8] {
        let head = tractfs_report_page(offset: UInt64(offset), total_byte_count: 0)
        return withUnsafeBytes(of: head) { Array($0) } + [UInt8](repeating: 0, count: byteCountMax)
    }

    /// The offset that is asked for; `nil` where it isn't of our making.
    static func offset(_ question: UnsafeRawBufferPointer) -> Int? {
        guard question.count == TRACTFS_REPORT_BYTE_COUNT else { return nil }
        return Int(exactly: question.loadUnaligned(as: tractfs_report_page.self).offset)
    }

    /// The page of a report that begins at `offset`, as it is given back.
    static func answer(_ report: [UInt8], from offset: Int) -> [UInt8] {
        let head = tractfs_report_page(offset: UInt64(offset), total_byte_count: UInt64(report.count))
        return withUnsafeBytes(of: head) { Array($0) } + report.dropFirst(offset).prefix(byteCountMax)
    }

    /// Reads what was given back.
    init(answer: [UInt8]) {
        let head = answer.withUnsafeBytes { $0.loadUnaligned(as: tractfs_report_page.self) }
        totalByteCount = Int(clamping: head.total_byte_count)
        let size = MemoryLayout<tractfs_report_page>.size
        bytes = Array(answer.dropFirst(size).prefix(max(totalByteCount - Int(clamping: head.offset), 0)))
    }
}

/// The reports that are being handed out page by page, each until the directory is closed that it was asked for through.
final class KeptReports: Sendable {
    /// A report has some hundred kilobytes.
    static let countMax = 4

    private let reports = Mutex<[Handle: [UInt8]]>([:])

    /// A page of a directory's report; one that begins at 0 has `make` make a new one.
    func page(at offset: Int, for directory: Handle, _ make: () -> [UInt8]) throws(Errno) -> [UInt8] {
        if offset == 0 {
            let isFull = reports.withLock { $0[directory] == nil && $0.count >= KeptReports.countMax }
            if isFull { throw .resourceBusy }
            let report = make()
            try reports.withLock { reports throws(Errno) in
                // Others may have been as fast.
                if reports[directory] == nil, reports.count >= KeptReports.countMax { throw .resourceBusy }
                reports[directory] = report
            }
        }
        guard let report = reports.withLock({ $0[directory] }) else { throw .noData }
        return ReportPage.answer(report, from: offset)
    }

    /// The directory is closed.
    func remove(_ directory: Handle) {
        // Nearly all directories have none.
        _ = reports.withLock { $0.removeValue(forKey: directory) }
    }
}
