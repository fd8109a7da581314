import ArgumentParser
import Foundation
import Settings
import Testing
import TestSupport

@testable import tractfs

/// The lines of /etc/fstab in the documentation.
@Suite struct DeploymentPageTests {
    private static let files = ["docs/DEPLOYMENT.md", "README.md", "packaging/ec2/user-data.yaml"]

    /// The words of each line, as mount(8) reads it.
    private static func lines(of file: String) throws -> [[String]] {
        let text = try String(contentsOfFile: packageRoot + "/" + file, encoding: .utf8)
        return text.matches(of: /s3:\S+ \/\S+ (?:tractfs|fuse|fuse\.tractfs) \S+ 0 0/).map {
            $0.output.split(separator: " ").map(String.init)
        }
    }

    @Test(arguments: files)
    func `Each line of fstab in the documentation is accepted by the mount helper`(file: String) throws {
        let lines = try Self.lines(of: file)
        #expect(!lines.isEmpty)
        for words in lines {
            let helper = try MountHelper([words[0], words[1], "-o", words[3]])
            let command = try Tractfs.parseAsRoot(helper.arguments())
            #expect((command as? MountCommand)?.appearance.allowOther == true, "\(words)")
        }
    }

    @Test func `The example settings of the systemd service are accepted by tractfs mount`() throws {
        let text = try String(contentsOfFile: packageRoot + "/packaging/systemd/tractfs.conf.example", encoding: .utf8)
        let settings = Dictionary(
            uniqueKeysWithValues: text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
                let parts = line.split(separator: "=", maxSplits: 1)
                return (String(parts[0]), String(parts[1]))
            })
        let options = try #require(settings["OPTIONS"]).split(separator: " ").map(String.init)
        let source = try #require(settings["SOURCE"])
        #expect(throws: Never.self) {
            try Tractfs.parseAsRoot(["mount", "--foreground"] + options + [source, "/mnt/hcp"])
        }
    }
}
