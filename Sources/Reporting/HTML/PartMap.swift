import MountControl

/// The read counts of the parts of a large file: a row of fields from its beginning to its end.
struct PartMap {
    private let file: MountReport.File
    private let partBytes: [Int]

    /// The levels of darkness, by the number of times that a part was read.
    private static let levels: [(times: Double, name: String)] = [
        (0, "not all of it"), (1, "once"), (2, "twice"), (4, "4 times"), (8, "8 times or more"),
    ]

    /// Creates the map; `nil` for a file without parts.
    init?(_ file: MountReport.File) {
        guard let partBytes = file.partBytes, !partBytes.isEmpty else { return nil }
        self.file = file
        self.partBytes = partBytes
    }

    static var legend: Markup {
        let items: [Markup] =
            [("not read", "level none")].map { "<li class=\"\($0.1)\"><i></i>\($0.0)</li>" }
            + levels.enumerated().map { "<li class=\"level level\($0)\"><i></i>\($1.name)</li>" }
        return "<ul class=\"legend\">\(items)</ul>"
    }

    var markup: Markup {
        """
        <div class="map">
        <p><bdi>\(file.path)</bdi> <span>\(Readable.bytes(file.size)), read \(Readable.times(file.readBytes, of: file.size)) in \
        \(Readable.count(file.reads, "read"))</span></p>
        <svg viewBox="0 0 \(partBytes.count * 10) 16" preserveAspectRatio="none" role="img" \
        aria-label="how often each part was read">
        <rect class="none" width="\(partBytes.count * 10)" height="16" />
        \(fields)
        </svg>
        </div>
        """
    }

    /// Returns the offset of a part.
    private func start(of index: Int) -> Int {
        Int((Double(index) * Double(file.size) / Double(partBytes.count)).rounded(.up))
    }

    private var fields: [Markup] {
        partBytes.enumerated().filter { $0.element > 0 }.map { index, byteCount in
            let (start, end) = (start(of: index), start(of: index + 1))
            // Rounded to a hundredth: the sizes of parts differ by a byte.
            let times = (100 * Double(byteCount) / Double(max(end - start, 1))).rounded() / 100
            let level = PartMap.levels.lastIndex { $0.times <= times } ?? 0
            return """
                <rect class="level\(level)" x="\(index * 10)" width="10" height="16">\
                <title>\(Readable.bytes(start)) to \(Readable.bytes(end)): \(Decimals.text(times, 1)) times</title></rect>
                """
        }
    }
}
