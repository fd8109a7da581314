import MountControl

/// The tables of the most read folders and files, and the part maps of large files.
struct AccessTables {
    private let access: MountReport.Access
    private let usesPassthrough: Bool

    private static let rowCountMax = 20
    private static let openRowCountMax = 10
    private static let mapCountMax = 16

    init(_ access: MountReport.Access, usesPassthrough: Bool) {
        self.access = access
        self.usesPassthrough = usesPassthrough
    }

    var markup: Markup {
        if access.files.isEmpty, access.folders.isEmpty {
            return "<section><h2>What was read</h2><p class=\"none\">No file was opened yet.</p></section>"
        }
        return """
            <section>
            <h2>What was read</h2>
            <p class="remark">\(remark)</p>
            \(folderTable("Folders at the top, with all below", access.topFolders, access.topFolderCount))
            \(folderTable("Folders, their own files", access.folders, access.folderCount))
            \(mostRead)
            \(mostOpened)
            \(maps)
            </section>
            """
    }

    private var remark: String {
        let dropped =
            access.droppedFiles == 0
            ? "" : " \(Readable.count(access.droppedFiles, "file")) more, read least, are known by their folders only."
        let unrecorded =
            access.unrecordedOpens == 0
            ? "" : " \(Readable.count(access.unrecordedOpens, "open")) couldn't be recorded: too many files were open."
        return "Of at most \(Readable.count(access.fileLimit)) files it is known one by one how they were read; so far "
            + "\(Readable.count(access.fileCount)).\(dropped)\(unrecorded)"
    }

    // MARK: Tables

    /// Returns a table of names and numbers, with bars for the last number.
    private func table(
        _ title: String, _ heading: String, _ columns: [String],
        _ rows: [(name: String, cells: [String], bar: Double)], of count: Int
    ) -> Markup {
        if rows.isEmpty { return "" }
        let head: [Markup] = columns.map { "<th class=\"number\" scope=\"col\">\($0)</th>" }
        let body: [Markup] = rows.map { row in
            let cells: [Markup] = row.cells.map { "<td class=\"number\">\($0)</td>" }
            let width = Decimals.text(100 * min(max(row.bar, 0), 1), 1)
            let bar: Markup = row.bar > 0 ? "<span style=\"width:\(width)%\"></span>" : ""
            return """
                <tr><th class="name" scope="row"><bdi>\(row.name)</bdi></th>\(cells)\
                <td class="bar">\(bar)</td></tr>
                """
        }
        let more = count > rows.count ? " (the first \(rows.count) of \(Readable.count(count)))" : ""
        return """
            <h3>\(title)\(more)</h3>
            <div class="scroll"><table class="access">
            <thead><tr><th scope="col">\(heading)</th>\(head)<th class="bar"></th></tr></thead>
            <tbody>
            \(body)
            </tbody>
            </table></div>
            """
    }

    /// Returns the cell of the passthrough column, which exists only if passthrough was used.
    private func passthrough(_ text: String) -> [String] { usesPassthrough ? [text] : [] }

    /// Returns the number of bytes read as text; "not known" if all opens were passed through, since the kernel reports
    /// no reads then.
    private static func bytes(_ byteCount: Int, _ passthroughOpens: Int) -> String {
        byteCount == 0 && passthroughOpens > 0 ? "not known" : Readable.bytes(byteCount)
    }

    private func folderTable(_ title: String, _ folders: [MountReport.Folder], _ count: Int) -> Markup {
        let largest = Double(max(folders.map(\.readBytes).max() ?? 0, 1))
        return table(
            title, "folder", ["opens"] + passthrough("passed through") + ["reads", "read"],
            folders.prefix(AccessTables.rowCountMax).map { folder in
                (
                    folder.path.isEmpty ? "(the mount's own folder)" : folder.path,
                    [Readable.count(folder.opens)] + passthrough(Readable.count(folder.passthroughOpens)) + [
                        Readable.count(folder.reads), AccessTables.bytes(folder.readBytes, folder.passthroughOpens),
                    ], Double(folder.readBytes) / largest
                )
            }, of: count)
    }

    private var mostRead: Markup {
        let files = access.files.filter { $0.readBytes > 0 }
            .sorted { ($0.readBytes, $1.path) > ($1.readBytes, $0.path) }
        let largest = Double(max(files.first?.readBytes ?? 0, 1))
        return table(
            "Files, those of which most was read", "file",
            ["size", "opens"] + passthrough("passed through") + ["reads", "failed", "of its size", "read"],
            files.prefix(AccessTables.rowCountMax).map { file in
                (
                    file.path,
                    [Readable.bytes(file.size), Readable.count(file.opens)]
                        + passthrough(Readable.count(file.passthroughOpens)) + [
                            Readable.count(file.reads), Readable.count(file.failedReads),
                            Readable.times(file.readBytes, of: file.size), Readable.bytes(file.readBytes),
                        ], Double(file.readBytes) / largest
                )
            }, of: files.count == access.files.count ? access.fileCount : files.count)
    }

    private var mostOpened: Markup {
        let files = access.files.filter { $0.opens > 1 }
            .sorted { ($0.opens, $1.path) > ($1.opens, $0.path) }
        let largest = Double(max(files.first?.opens ?? 0, 1))
        return table(
            "Files, those that were opened most", "file",
            ["size", "read"] + passthrough("passed through") + ["opens"],
            files.prefix(AccessTables.openRowCountMax).map { file in
                (
                    file.path,
                    [Readable.bytes(file.size), AccessTables.bytes(file.readBytes, file.passthroughOpens)]
                        + passthrough(Readable.count(file.passthroughOpens)) + [Readable.count(file.opens)],
                    Double(file.opens) / largest
                )
            }, of: files.count == access.files.count ? access.fileCount : files.count)
    }

    // MARK: Parts of large files

    private var maps: Markup {
        let files = access.files.filter { $0.partBytes?.contains { $0 > 0 } == true }
            .sorted { ($0.readBytes, $1.path) > ($1.readBytes, $0.path) }
        if files.isEmpty { return "" }
        let maps = files.prefix(AccessTables.mapCountMax).compactMap(PartMap.init)
        return """
            <h3>Parts of large files, from their beginning to their end</h3>
            \(PartMap.legend)
            <div class="maps">
            \(maps.map(\.markup))
            </div>
            """
    }
}
