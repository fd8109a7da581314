/// Rows of text in columns, for people.
struct TextTable {
    /// A line for each row, the headings first; none where there are no rows.
    let lines: [String]

    /// - Parameters:
    ///   - headings: One a column.
    ///   - numericColumns: Which columns have numbers, which stand at the right.
    init(headings: [String], rows: [[String]], numericColumns: Range<Int> = 0..<0) {
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
