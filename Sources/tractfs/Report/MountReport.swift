import FoundationEssentials

/// What the server of a mount says of all that it has done (`ReportDocument`, docs/REPORT.md).
struct MountReport: Decodable {
    let status: MountStatus
    /// What it was told, by the names of options.
    let settings: [String: String]
    let machine: Machine
    let history: History
    let access: Access

    struct Machine: Decodable {
        let kernel: String
        let processors: Int
        let memoryBytes: Int
    }

    /// Samples, the last one of them taken when it was asked. Each array has one number of all.
    struct History: Decodable {
        let periodSeconds: Int
        let seconds: [Double]
        let counts: [String: [Int]]
        let gauges: [String: [Int]]
        let getFirstByteCounts: [[Int]]
        let listFirstByteCounts: [[Int]]

        subscript(count: HistoryCount) -> [Int] { counts[count.rawValue] ?? [] }
        subscript(gauge: HistoryGauge) -> [Int] { gauges[gauge.rawValue] ?? [] }

        /// Whether all that a page is made of is there, for every sample.
        fileprivate var isComplete: Bool {
            let columns =
                HistoryCount.allCases.map { self[$0] } + HistoryGauge.allCases.map { self[$0] } + getFirstByteCounts
                + listFirstByteCounts
            return !seconds.isEmpty && columns.allSatisfy { $0.count == seconds.count }
        }
    }

    struct Access: Decodable {
        let files: [File]
        let fileCount: Int
        let fileLimit: Int
        let droppedFiles: Int
        let unrecordedOpens: Int
        let folders: [Folder]
        let folderCount: Int
        let topFolders: [Folder]
        let topFolderCount: Int
    }

    struct File: Decodable {
        let path: String
        let size: Int
        let opens: Int
        let passthroughOpens: Int
        let reads: Int
        let failedReads: Int
        let readBytes: Int
        /// What was read of each of its equal parts; `nil` for a small file.
        let partBytes: [Int]?
    }

    struct Folder: Decodable {
        /// Ends in "/"; empty for the mount's own folder.
        let path: String
        let opens: Int
        let passthroughOpens: Int
        let reads: Int
        let failedReads: Int
        let readBytes: Int
    }

    /// Reads what a server has said; `nil` where it doesn't say all of this: it is of another version.
    init?(parsing text: String) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let report = try? decoder.decode(MountReport.self, from: Data(text.utf8)), report.history.isComplete
        else { return nil }
        self = report
    }
}
