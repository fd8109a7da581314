import Foundation
import Synchronization
import TestSupport
import Testing

/// Compares the table of docs/RELIABILITY.md with what happens.
@Suite struct FaultMatrixTests {
    /// The number of concurrent mounts, most of which wait most of the time.
    private static let mountCountMax = 16
    /// The time above its own limit that an operation may take on a busy machine.
    private static let margin = Duration.seconds(20)

    @Test("Each fault has the outcomes that docs/RELIABILITY.md gives, within the time that it gives", mounts)
    func table() throws {
        let page = try ReliabilityPage()
        let faults = LastingFault.all
        let names = page.rows.map { $0.fault }
        try #require(names == faults.map { $0.name }, "each fault has its line")
        let found = Mutex<[Int: [FaultRun.Operation: FaultRun.End]]>([:])
        let next = Atomic(0)
        try inParallel(Self.mountCountMax) { _ in
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < faults.count else { return }
                let timeout = Self.readTimeout(of: page.rows[index])
                let ends = try FaultRun.ends(during: faults[index], readTimeout: timeout)
                found.withLock { $0[index] = ends }
            }
        }
        for (index, row) in page.rows.enumerated() { compare(row, with: found.withLock { $0[index] } ?? [:]) }
    }

    /// Returns a short timeout for rows that wait for it, and for others one that would be noticed if an operation did.
    private static func readTimeout(of row: ReliabilityPage.Row) -> Duration {
        row.isPrompt ? .seconds(60) : .seconds(3)
    }

    private func compare(_ row: ReliabilityPage.Row, with ends: [FaultRun.Operation: FaultRun.End]) {
        let cells = FaultRun.Operation.allCases.map { ends[$0].map { "\($0.outcome) (\($0.duration))" } ?? "?" }
        print("\(row.fault): \(cells.joined(separator: ", "))")
        for operation in FaultRun.Operation.allCases {
            guard let end = ends[operation] else {
                Issue.record("\(row.fault), \(operation.rawValue): nothing came of it")
                continue
            }
            let limit = Self.limit(of: operation, row) + Self.margin
            #expect(row.allows(end.outcome, of: operation), "\(row.fault), \(operation.rawValue): \(end.outcome)")
            #expect(end.duration < limit, "\(row.fault), \(operation.rawValue)")
        }
    }

    /// Returns the most time that an operation may take.
    private static func limit(of operation: FaultRun.Operation, _ row: ReliabilityPage.Row) -> Duration {
        switch operation {
        case .coldRead, .warmRead, .walk: row.isPrompt ? .zero : readTimeout(of: row)
        case .mount: .seconds(10)
        // The grace period, and the time that the command allows the process.
        case .unmount: .seconds(1 + 10)
        }
    }

    @Test("docs/RELIABILITY.md names only tests that exist")
    func names() throws {
        let files = try #require(FileManager.default.enumerator(atPath: packageRoot + "/Tests"))
        let names = Set(files.compactMap { ($0 as? String)?.split(separator: "/").last.map(String.init) })
        for test in try ReliabilityPage().tests {
            #expect(names.contains("\(test).swift"), "\(test)")
        }
    }
}
