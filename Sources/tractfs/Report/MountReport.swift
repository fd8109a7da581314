import FoundationEssentials

/// The report of a mount's server about its whole life (`ReportDocument`, docs/REPORT.md).
struct MountReport: Decodable {
    let status: MountStatus
    /// The settings of the mount, by option name.
    let settings: [String: String]
    let machine: Machine
    let history: History
    let access: Access

    struct Machine: Decodable {
        let kernel: String
        let processors: Int
        let memoryBytes: Int
    }

    /// The samples, the last one taken at the time of the request. Each array has one number per sample.
    struct History: Decodable {
        let periodSeconds: Int
        let seconds: [Double]
        let counts: [String: [Int]]
        let gauges: [String: [Int]]
        let getFirstByteCounts: [[Int]]
        let listFirstByteCounts: [[Int]]

        subscript(count: HistoryCount) -> [Int] { counts[count.rawValue] ?? [] }
        subscript(gauge: HistoryGauge) -> [Int] { gauges[gauge.rawValue] ?? [] }

        /// `true` if every sample has all members that the HTML page needs.
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
        /// The bytes read of each of the file's equal parts; `nil` for a small file.
        let partBytes: [Int]?
    }

    struct Folder: Decodable {
        /// The path, ending in "/"; empty for the mount's root folder.
        let path: String
        let opens: Int
        let passthroughOpens: Int
        let reads: Int
        let failedReads: Int
        let readBytes: Int
    }

    /// Decodes a server's answer; `nil` if members are missing because the server has another version.
    init?(parsing text: String) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let report = try? decoder.decode(MountReport.self, from: Data(text.utf8)), report.history.isComplete
        else { return nil }
        self = report
    }
}
