import Foundation
import ObjectStore
import TestSupport
import Testing

@Suite(mounts) struct RefreshCommandTests {
    private func tractfs(_ arguments: String..., directory: String? = nil) throws -> CommandResult {
        try run(tractfsExecutable(), arguments, directory: directory, timeout: .seconds(30))
    }

    private func withTree(_ body: (S3TestServer, String) throws -> Void) throws {
        try withS3TestServer { server in
            server.put("folder/file", .text("old"))
            server.put("folder/inner/gone", .text("x"))
            server.put("other/file", .text("x"))
            try withMount(of: server, options: ["--metadata-ttl", "forever"]) { mountPoint in
                try runChecked("ls", ["-lR", mountPoint])
                try body(server, mountPoint)
            }
        }
    }

    @Test func `tractfs refresh shows new, deleted and changed objects, also to a shell in the folder`() throws {
        try withTree { server, mountPoint in
            try withTemporaryDirectory { temporary in
                let script = """
                    cat new; until [ -e "$0/go" ]; do sleep 0.01; done
                    /bin/pwd; cat file new; ls . inner; ls ../other
                    """
                let shell = try BackgroundProcess(
                    "bash", ["-c", script, temporary], directory: mountPoint + "/folder", outputDirectory: temporary)
                defer { shell.end() }
                try eventually("that the shell has looked") { shell.errorOutput.contains("No such file") }
                server.put("folder/file", .text("newer\n"))
                server.put("folder/new", .text("new\n"))
                server.delete("folder/inner/gone")
                server.put("folder/inner/come", .text("x"))
                let result = try tractfs("refresh", mountPoint + "/folder")
                #expect(result.status == 0 && result.output == "" && result.errorOutput == "")
                try Data().write(to: URL(fileURLWithPath: temporary + "/go"))
                try shell.waitForEnd(timeout: .seconds(30))
                let output = "\(mountPoint)/folder\nnewer\nnew\n.:\nfile\ninner\nnew\n\ninner:\ncome\nfile\n"
                #expect(shell.output == output)
            }
        }
    }

    @Test func `tractfs refresh of a file lists its folder again, and nothing else`() throws {
        try withTree { server, mountPoint in
            server.put("folder/file", .text("newer"))
            server.put("folder/new", .text("new"))
            server.put("folder/inner/new", .text("new"))
            server.clearLog()
            // Relative paths are relative to the working directory of the user.
            try #expect(tractfs("refresh", "file", "new", directory: mountPoint + "/folder").status == 0)
            try #expect(String(contentsOfFile: mountPoint + "/folder/file", encoding: .utf8) == "newer")
            try #expect(String(contentsOfFile: mountPoint + "/folder/new", encoding: .utf8) == "new")
            #expect(!FileManager.default.fileExists(atPath: mountPoint + "/folder/inner/new"))
            #expect(server.requests(.list).count <= 2)
        }
    }

    @Test func `tractfs refresh reports the paths that fail, and refreshes the others`() throws {
        try withTree { server, mountPoint in
            server.put("folder/new", .text("new"))
            let paths = ["/tmp", "", mountPoint + "/folder/nothing", mountPoint + "/folder"]
            let result = try run(tractfsExecutable(), ["refresh"] + paths)
            #expect(result.status == 1)
            #expect(
                result.errorOutput == """
                    tractfs: /tmp is not in a tractfs mount, or in one that another version serves
                    tractfs: a path is empty; give a folder or a file in a mount
                    tractfs: \(mountPoint)/folder/nothing: No such file or directory

                    """)
            #expect(FileManager.default.fileExists(atPath: mountPoint + "/folder/new"))
        }
    }
}

@Suite(mounts) struct WarmMetadataTests {
    private func warm(_ arguments: String...) throws -> CommandResult {
        try run(tractfsExecutable(), ["warm"] + arguments, timeout: .seconds(30))
    }

    @Test func `warm --metadata lists a tree, after which a walk needs no request`() throws {
        try withS3TestServer { server in
            for folder in 0..<30 {
                for file in 0..<100 { server.put(Key("tree/\(folder)/\(file)"), .text("x")) }
            }
            server.put("other/file", .text("x"))
            try withMount(of: server) { mountPoint in
                let result = try warm("--metadata", mountPoint + "/tree")
                #expect(result.status == 0 && result.errorOutput == "")
                #expect(result.output.hasPrefix("\(mountPoint)/tree: 3000 keys in "))
                #expect(server.requests(.list).count < 15)
                server.clearLog()
                let files = try runChecked("find", [mountPoint + "/tree", "-type", "f"])
                #expect(files.split(separator: "\n").count == 3_000)
                #expect(server.log.isEmpty)
            }
        }
    }

    @Test func `warm --metadata reports a tree that cannot be listed in the store's words`() throws {
        try withS3TestServer { server in
            server.put("tree/file", .text("x"))
            try withMount(of: server) { mountPoint in
                server.script(.lists, .refuse(.accessDenied))
                let result = try warm("--metadata", mountPoint + "/tree")
                #expect(result.status == 1)
                #expect(result.errorOutput.hasPrefix("tractfs: \(mountPoint)/tree: "))
                #expect(result.errorOutput.contains("AccessDenied"))
            }
        }
    }

    @Test func `warm --metadata refuses paths that are not folders of a mount`() throws {
        try #expect(warm("--metadata", "/tmp").errorOutput.contains("/tmp is not in a tractfs mount"))
        try #expect(warm("--metadata", "/nowhere").errorOutput == "tractfs: /nowhere: No such file or directory\n")
        try withS3TestServer { server in
            server.put("file", .text("x"))
            try withMount(of: server) { mountPoint in
                let result = try warm("--metadata", mountPoint + "/file")
                #expect(result.errorOutput.contains("is a file"))
            }
        }
    }
}
