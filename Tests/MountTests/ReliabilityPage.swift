import Foundation
import TestSupport

/// The table of docs/RELIABILITY.md: what a user meets while a fault lasts.
struct ReliabilityPage {
    /// The operations during a fault, which are the columns.
    enum Operation: String, CaseIterable {
        case coldRead = "Cold read"
        case warmRead = "Warm read"
        case walk = "Walk"
        case mount = "Mount"
        case unmount = "Unmount"
    }

    /// One line of the table.
    struct Row {
        /// The fault.
        let fault: String
        /// The outcomes of each operation. A cell may have several, and has "at T" behind an error that comes at the
        /// timeout and not at once.
        let cells: [Operation: String]

        /// A Boolean value that is `true` if no outcome comes at the timeout.
        var isPrompt: Bool { cells.values.allSatisfy { !$0.hasSuffix(Self.late) } }

        /// Returns `true` if the page allows this outcome of an operation.
        func allows(_ outcome: String, of operation: Operation) -> Bool {
            let cell = (cells[operation] ?? "").replacing(Self.late, with: "")
            return cell.components(separatedBy: " or ").contains(outcome)
        }

        private static let late = " at T"
    }

    /// The lines of the table.
    let rows: [Row]
    /// The tests that the page names.
    let tests: [String]

    /// Reads the page.
    init() throws {
        let text = try String(contentsOfFile: packageRoot + "/docs/RELIABILITY.md", encoding: .utf8)
        let lines = text.components(separatedBy: "\n").map { line in
            line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let titles = ["While it lasts"] + Operation.allCases.map(\.rawValue)
        let table = lines.drop { $0 != titles }.dropFirst(2).prefix { $0.count == titles.count }
        rows = table.map { cells in
            Row(
                fault: cells[0],
                cells: Dictionary(uniqueKeysWithValues: zip(Operation.allCases, cells.dropFirst())))
        }
        tests = text.split(separator: "`").map(String.init).filter { $0.hasSuffix("Tests") && !$0.contains(" ") }
    }
}
