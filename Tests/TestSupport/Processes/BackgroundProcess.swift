import Foundation

/// A process that a test starts, and ends by its id. Its output goes to files, so that it never waits for the test.
public final class BackgroundProcess {
    private let process = Process()
    private let name: String
    private let outputPath: String
    private let errorPath: String

    /// Starts the process.
    ///
    /// - Parameters:
    ///   - executable: A path, or a name to look for in `PATH`.
    ///   - environment: Variables beside, or instead of, those of the test's own process.
    ///   - outputDirectory: Where the files of its output go.
    public init(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:],
        directory: String? = nil, outputDirectory: String
    ) throws {
        name = executable
        outputPath = outputDirectory + "/stdout"
        errorPath = outputDirectory + "/stderr"
        // The parent of the tests may ignore signals, as shells do for background jobs, and threads of the tests block
        // them. A child would inherit both.
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["--default-signal", executable] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        process.standardInput = FileHandle.nullDevice
        let (output, errors) = (try Self.emptyFile(outputPath), try Self.emptyFile(errorPath))
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // `Process` does not close them, and reads past a page's end once about 1,350 descriptors are open.
        try output.close()
        try errors.close()
    }

    private static func emptyFile(_ path: String) throws -> FileHandle {
        try Data().write(to: URL(fileURLWithPath: path))
        return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }

    /// The process id.
    public var processID: Int32 { process.processIdentifier }

    /// A Boolean value that is `true` until the process ends.
    public var isRunning: Bool { process.isRunning }

    /// The standard output so far.
    public var output: String { Self.text(of: outputPath) }

    /// The standard error so far.
    public var errorOutput: String { Self.text(of: errorPath) }

    /// The exit status, or the negated signal number; only once it has ended.
    public var status: Int32 {
        process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    /// Waits for the end of the process.
    public func waitForEnd(timeout: Duration) throws {
        try eventually("the end of \(name) (so far it wrote: \(output)\(errorOutput))", within: timeout) {
            !process.isRunning
        }
    }

    /// Terminates the process, and kills it after ten seconds.
    public func end() {
        guard process.isRunning else { return }
        process.terminate()
        do {
            try waitForEnd(timeout: .seconds(10))
        } catch {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
    }

    private static func text(of path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}
