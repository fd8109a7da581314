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

    /// Waits until the tool finds the tree exactly. It may fail before, since a busy machine may exceed a short read
    /// timeout, but no entry may be missing where it does not fail.
    func expectExactSoon(
        _ tool: String, at mountPoint: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try eventually("\(situation) \(tool) walks without a failure", within: .seconds(120)) {
            try expectNoDifference(tool, mountPoint, ["--errors-allowed-below", ""], sourceLocation)
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

    /// The exit status of the script if nothing differs but where the tool was allowed to fail, and did.
    private static let failureStatus: Int32 = 3

    /// Expects that nothing differs.
    ///
    /// - Returns: `false` if the tool failed where it is allowed to.
    @discardableResult
    private func expectNoDifference(
        _ tool: String, _ mountPoint: String, _ options: [String], _ sourceLocation: SourceLocation
    ) throws -> Bool {
        let result = try run(
            "python3", [Self.script, tool, mountPoint, expectedPath] + options, environment: ["PYTHONUTF8": "1"],
            timeout: .seconds(300))
        let hasFailed = result.status == Self.failureStatus
        #expect(
            (result.status == 0 || hasFailed) && result.output.isEmpty && result.errorOutput.isEmpty,
            "\(situation) \(tool) \(options): \(result.output.prefix(3_000))\(result.errorOutput.prefix(3_000))",
            sourceLocation: sourceLocation)
        return !hasFailed
    }
}
