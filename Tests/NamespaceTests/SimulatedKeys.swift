import Foundation
import ObjectStore

@testable import Namespace

/// Trees to walk.
enum SimulatedKeys {
    /// Subjects with as many folders each, with as many files each.
    static func study(subjects: Int, folders: Int, files: Int) -> [Key] {
        var keys: [Key] = []
        for subject in 0..<subjects {
            for folder in 0..<folders {
                for file in 0..<files {
                    keys.append(Key("study/sub-\(1_000 + subject)/run-\(100 + folder)/f\(1_000 + file).nii.gz"))
                }
            }
        }
        return keys
    }

    /// One folder with many small ones.
    static func tinyFolders(_ count: Int, files: Int) -> [Key] {
        (0..<count).flatMap { folder in (0..<files).map { Key("many/d\(100_000 + folder)/f\($0)") } }
    }

    /// Where the Human Connectome Project's layout is described, beside the repository.
    static let manifest = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/hcp/subject-manifest.tsv")

    static var hasManifest: Bool { FileManager.default.fileExists(atPath: manifest.path) }

    /// Subjects of the Human Connectome Project: the folders and names of a subject, each as often as it is there.
    static func connectomes(_ count: Int) throws -> [Key] {
        let lines = try String(contentsOf: manifest, encoding: .utf8).split(separator: "\n").dropFirst()
        let rows = lines.map { $0.split(separator: "\t") }.filter { $0.count >= 5 }
        var keys: [Key] = []
        var state: UInt64 = 1
        for subject in 0..<count {
            let id = String(100_307 + 1_103 * subject)
            for row in rows {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let chance = Double(state >> 40) / Double(1 << 24)
                let isIncluded =
                    row[4] == "3T" || (row[4] == "7T" && subject % 6 == 1) || (row[4] == "MEG" && subject % 11 == 3)
                guard isIncluded, chance < Double(row[3]) ?? 1 else { continue }
                keys.append(Key("HCP_1200/\(id)/" + row[0].replacingOccurrences(of: "{SUBJECT}", with: id)))
            }
        }
        return keys
    }
}
