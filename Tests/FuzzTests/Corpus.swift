import Foundation
import TestSupport

/// The inputs of a target: samples of real ones, and inputs that once caused a failure.
enum Corpus {
    /// By the names of their files.
    static func inputs(of target: FuzzTarget) throws -> [(name: String, bytes: [UInt8])] {
        let folder = packageRoot + "/Tests/FuzzTests/Corpora/\(target.name)"
        return try FileManager.default.contentsOfDirectory(atPath: folder).sorted().map { name in
            (name, [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))))
        }
    }
}
