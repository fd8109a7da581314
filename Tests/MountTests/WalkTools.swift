import Foundation
import TestSupport
import Testing

/// The tools that walk trees, each compared with what it should find (walk_tools.py).
struct WalkTools {
    /// All of them.
    static let names = [
        "find", "find-size", "ls-R", "ls-lR", "du-a", "rsync-n", "tar-c", "os-walk", "os-fwalk", "glob-all", "glob-T1w",
        "stack",
    ]
    private static let script = packageRoot + "/Tests/MountTests/walk_tools.py"
    private let expectedPath: String
    /// The circumstances of the walks, for messages.
    private let situation: String

    /// Creates walks of this tree.
    ///
    /// - Parameter situation: The circumstances, for messages.
    static func with<Result>(
        _ tree: WalkTree, situation: String = "", _ body: (WalkTools) throws -> Result
    ) throws -> Result {
        try withTemporaryDirectory { directory in
            let path = directory + "/expected"
            let lines = tree.entries.map { "\($0.byteCount.map(String.init) ?? "-")\t\($0.path)\n" }
            try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: path))
            return try body(WalkTools(expectedPath: path, situation: situation))
        }
    }

    /// Expects that the tool finds the tree exactly.
    ///
    /// - Parameters:
    ///   - folder: The only folder of the tree to walk.
    ///   - changing: The name of folders that may change meanwhile, and are ignored.
    func expectExact(
        _ tool: String, at mountPoint: String, below folder: String = "", changing: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let options = ["--below", folder] + (changing.map { ["--changing", $0] } ?? [])
        try expectNoDifference(tool, mountPoint, options, sourceLocation)
    }

    /// Waits until the tool finds the tree exactly: a busy machine may exceed a short read timeout once more.
    func expectExactSoon(_ tool: String, at mountPoint: String) throws {
        try eventually("\(situation) \(tool) finds the tree", within: .seconds(120)) {
            let result = try difference(tool, mountPoint, ["--below", ""])
            return result.status == 0 && result.output.isEmpty && result.errorOutput.isEmpty
        }
    }

    /// Expects that the tool finds the tree exactly, except for folders where it fails.
    ///
    /// - Parameter folder: The folder below which it may fail.
    func expectExactOrFailed(
        _ tool: String, at mountPoint: String, below folder: String = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try expectNoDifference(tool, mountPoint, ["--errors-allowed-below", folder], sourceLocation)
    }

    private func expectNoDifference(
        _ tool: String, _ mountPoint: String, _ options: [String], _ sourceLocation: SourceLocation
    ) throws {
        let result = try difference(tool, mountPoint, options)
        #expect(
            result.status == 0 && result.output.isEmpty && result.errorOutput.isEmpty,
            "\(situation) \(tool) \(options): \(result.output.prefix(3_000))\(result.errorOutput.prefix(3_000))",
            sourceLocation: sourceLocation)
    }

    /// Returns the differences that the tool finds, as output.
    private func difference(_ tool: String, _ mountPoint: String, _ options: [String]) throws -> CommandResult {
        try run(
            "python3", [Self.script, tool, mountPoint, expectedPath] + options, environment: ["PYTHONUTF8": "1"],
            timeout: .seconds(300))
    }
}
