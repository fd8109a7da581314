import Foundation
import SystemSupport

/// The result of a command.
public struct CommandResult: Sendable {
    /// The exit status; the negated signal number where a signal ended it.
    public let status: Int32
    /// The standard output.
    public let output: String
    /// The standard error.
    public let errorOutput: String
}

/// The error of a command that a test needed.
public struct CommandFailure: Error, CustomStringConvertible {
    /// The command, and its failure.
    public let description: String

    /// A failure of this description.
    public init(description: String) {
        self.description = description
    }
}

/// Runs a command to its end.
///
/// - Parameters:
///   - executable: A path, or a name to look for in `PATH`.
///   - environment: Variables beside, or instead of, those of the test's own process.
///   - directory: Where it runs; by default where the test does.
///   - timeout: Then it is killed and `CommandFailure` thrown.
public func run(
    _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
    directory: String? = nil, timeout: Duration = .seconds(120)
) throws -> CommandResult {
    try withTemporaryDirectory { temporary in
        let process = try BackgroundProcess(
            executable, arguments, environment: environment, directory: directory, outputDirectory: temporary)
        defer { process.end() }
        try process.waitForEnd(timeout: timeout)
        return CommandResult(
            status: process.status, output: process.output, errorOutput: process.errorOutput)
    }
}

/// Runs a command with a terminal as its standard streams (script(1)).
public func runOnTerminal(_ command: [String], environment: [String: String] = [:]) throws -> CommandResult {
    // A shell splits the command again.
    let words = command.map(\.shellQuoted).joined(separator: " ")
    return try run(
        "script", ["--quiet", "--return", "--command", words, "/dev/null"],
        environment: environment)
}

/// Runs a command whose failure is no test's subject: throws unless its exit status is 0.
@discardableResult
public func runChecked(
    _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
    directory: String? = nil, timeout: Duration = .seconds(120)
) throws -> String {
    let result = try run(
        executable, arguments, environment: environment, directory: directory, timeout: timeout)
    guard result.status == 0 else {
        throw CommandFailure(
            description: "\(executable) \(arguments.joined(separator: " ")): status \(result.status)\n"
                + result.output + result.errorOutput)
    }
    return result.output
}
