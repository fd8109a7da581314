/// The report of a mount about the whole life of the process that serves it.
///
/// This is the schema of `tractfs report --json`, with the members in this order; docs/REPORT.md defines them.
package struct MountReport: Codable, Sendable {
    package var status = MountStatus()
    /// The settings of the mount, by option name.
    package var settings: NamedValues<String> = [:]
    package var machine = Machine()
    package var history = History()
    package var access = Access()

    package init() {}

    package struct Machine: Codable, Sendable {
        package var kernel = ""
        package var processors = 0
        package var memoryBytes = 0

        package init() {}
    }

    /// The samples, the last one taken at the time of the request. Each array has one number per sample.
    package struct History: Codable, Sendable {
        package var periodSeconds = 0
        package var sampleLimit = 0
        package var seconds: [Double] = []
        package var counts: NamedValues<[Int]> = [:]
        package var gauges: NamedValues<[Int]> = [:]
        package var getFirstByteCounts: [[Int]] = []
        package var listFirstByteCounts: [[Int]] = []

        package init() {}

        package subscript(count: HistoryCount) -> [Int] { counts[count.rawValue] ?? [] }
        package subscript(gauge: HistoryGauge) -> [Int] { gauges[gauge.rawValue] ?? [] }

        /// `true` if every sample has all members that the HTML page needs.
        fileprivate var isComplete: Bool {
            let columns =
                HistoryCount.allCases.map { self[$0] } + HistoryGauge.allCases.map { self[$0] } + getFirstByteCounts
                + listFirstByteCounts
            return !seconds.isEmpty && columns.allSatisfy { $0.count == seconds.count }
        }
    }

    package struct Access: Codable, Sendable {
        package var files: [File] = []
        package var fileCount = 0
        package var fileLimit = 0
        package var droppedFiles = 0
        package var unrecordedOpens = 0
        package var folders: [Folder] = []
        package var folderCount = 0
        package var topFolders: [Folder] = []
        package var topFolderCount = 0

        package init() {}
    }

    package struct File: Codable, Sendable {
        package var path = ""
        package var size = 0
        package var opens = 0
        package var passthroughOpens = 0
        package var reads = 0
        package var failedReads = 0
        package var readBytes = 0
        /// The bytes read of each of the file's equal parts; `nil` for a small file.
        package var partBytes: [Int]?

        package init() {}
    }

    package struct Folder: Codable, Sendable {
        /// The path, ending in "/"; empty for the mount's root folder.
        package var path = ""
        package var opens = 0
        package var passthroughOpens = 0
        package var reads = 0
        package var failedReads = 0
        package var readBytes = 0

        package init() {}
    }

    /// Decodes a server's document; `nil` if members are missing because the server has another version.
    package init?(parsing text: String) {
        guard let report = try? ControlDocument.decode(MountReport.self, from: Array(text.utf8)),
            report.history.isComplete
        else { return nil }
        self = report
    }
}
