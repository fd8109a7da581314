import Foundation
import TestSupport

/// The table of docs/RELIABILITY.md: what a user meets while a fault lasts.
struct ReliabilityPage {
    /// What is done while the fault lasts: the columns.
    enum Operation: String, CaseIterable {
        case coldRead = "Cold read"
        case warmRead = "Warm read"
        case walk = "Walk"
        case mount = "Mount"
        case unmount = "Unmount"
    }

    /// One line of the table.
    struct Row {
        /// What is wrong.
        let fault: String
        /// What each operation comes to: outcomes, of which there may be several, and behind an error "at T" where it comes
        /// when the time is up, and not at once.
        let cells: [Operation: String]

        /// Whether nothing in it comes only when the time is up.
        var isPrompt: Bool { cells.values.allSatisfy { !$0.hasSuffix(Self.late) } }

        /// Whether the page says that an operation may come to this.
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
