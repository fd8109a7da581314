/// Rows of text in aligned columns.
package struct TextTable {
    /// One line per row, the headings first; empty if there are no rows.
    package let lines: [String]

    /// Creates a table; without rows it is empty, and has no headings.
    ///
    /// - Parameters:
    ///   - headings: One per column.
    ///   - numericColumns: The columns that are aligned at the right.
    package init(headings: [String], rows: [[String]], numericColumns: Range<Int> = 0..<0) {
        let rows = rows.isEmpty ? [] : [headings] + rows
        let widths = headings.indices.dropLast().map { column in rows.map { $0[column].count }.max() ?? 0 }
        lines = rows.map { row in
            let cells = zip(row, widths).enumerated().map { column, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                return numericColumns.contains(column) ? padding + cell.0 : cell.0 + padding
            }
            return (cells + row.suffix(1)).joined(separator: "  ")
        }
    }
}
