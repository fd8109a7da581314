import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import tractfs

/// The packages that scripts/package makes of the program under test, once for all tests.
struct MadePackage {
    /// The folder of the unpacked Debian package and its control files (DEBIAN).
    let root: String
    let package: String
    let tarball: String
    let errorOutput: String

    /// Made when the first test asks for it.
    static func made() throws -> MadePackage { try result.get() }

    private static let result = Result { try MadePackage() }

    private init() throws {
        let folder = URL(fileURLWithPath: try tractfsExecutable()).deletingLastPathComponent().path + "/package"
        try? FileManager.default.removeItem(atPath: folder)
        let result = try run(
            packageRoot + "/scripts/package", ["--program", try tractfsExecutable(), "--output", folder, "--quick"],
            timeout: .seconds(300))
        try #require(result.status == 0, "\(result.errorOutput)")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).map { "\(folder)/\($0)" }
        package = try #require(files.first { $0.hasSuffix(".deb") })
        tarball = try #require(files.first { $0.hasSuffix(".tar.gz") })
        errorOutput = result.errorOutput
        root = folder + "/root"
        try runChecked("dpkg-deb", ["--raw-extract", package, root])
    }

    func text(of path: String) throws -> String {
        try path.hasSuffix(".gz")
            ? runChecked("zcat", ["\(root)/\(path)"]) : String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
    }

    /// A field of its control file.
    func field(_ name: String) throws -> String {
        try runChecked("dpkg-deb", ["--field", package, name]).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The names of the manual pages, "tractfs-mount.1".
    func pages(inSection section: Int) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root)/usr/share/man/man\(section)")
            .map { String($0.dropLast(".gz".count)) }.sorted()
    }

    /// The page of a command, and those of its subcommands.
    static func pages(of command: any ParsableCommand.Type = Tractfs.self, below prefix: String = "") -> [String] {
        let name = prefix + (command.configuration.commandName ?? "")
        return ["\(name).1"] + command.configuration.subcommands.flatMap { pages(of: $0, below: "\(name)-") }
    }
}
