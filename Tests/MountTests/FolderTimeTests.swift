import Foundation
import ObjectStore
import TestSupport
import Testing

/// The times on which build tools and copying tools rely.
@Suite(mounts) struct FolderTimeTests {
    private func withTree(_ body: (S3TestServer) throws -> Void) throws {
        try withS3TestServer { server in
            server.put("sub-01/anat/T1w.nii.gz", .text("x"))
            server.put("sub-02/", .text(""))
            server.put("README", .text("x"))
            try body(server)
        }
    }

    @Test(arguments: [[], ["--no-cache"], ["--metadata-ttl", "0s"]])
    func `The time of a folder is the same in every mount, in lookups and listings`(options: [String]) throws {
        let folders = [".", "./sub-01", "./sub-01/anat", "./sub-02"]
        try withTree { server in
            for round in 0..<2 {
                try withMount(of: server, options: options) { mountPoint in
                    let lookedUp = try runChecked("stat", ["-c", "%Y %X %Z"] + folders, directory: mountPoint)
                    #expect(lookedUp == String(repeating: "946684800 946684800 946684800\n", count: 4))
                    let listed = try runChecked(
                        "find", [".", "-type", "d", "-printf", "%p %Ts\\n"], directory: mountPoint)
                    #expect(listed.split(separator: "\n").sorted() == folders.map { "\($0) 946684800"[...] })
                    let newer = try runChecked(
                        "find", [".", "-newermt", "2001-01-01", "-type", "d"], directory: mountPoint)
                    #expect(newer == "")
                }
                // A folder does not show that something was added to it.
                if round == 0 { server.put("sub-01/anat/T2w.nii.gz", .text("x")) }
            }
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/make"), "needs make"))
    func `make runs no rule again because of the time of a folder, in the same mount or after a remount`() throws {
        try withTree { server in
            try withTemporaryDirectory { directory throws in
                func make() throws -> String {
                    try withMount(of: server) { mountPoint throws in
                        let arguments = ["-f", "-", "INPUT=" + mountPoint]
                        let rules = "out: $(INPUT)/sub-01 $(INPUT)/README $(INPUT)\\n\\t@echo made; touch out\\n"
                        let script = "printf '\(rules)' | make \"$@\"; printf '\(rules)' | make \"$@\""
                        return try runChecked("bash", ["-ec", script, "bash"] + arguments, directory: directory)
                    }
                }
                #expect(try make() == "made\nmake: 'out' is up to date.\n")
                #expect(try make() == "make: 'out' is up to date.\nmake: 'out' is up to date.\n")
            }
        }
    }

    @Test(overlays) func `The time of a folder is the same with an overlay, until a write to the folder`() throws {
        let time = "946684800\n"
        try withTree { server in
            try withOverlayFolder { folder throws in
                for _ in 0..<2 {
                    try withOverlay(of: server, in: folder) { mount throws in
                        let times = try mount.bash("stat -c %Y . sub-01 sub-01/anat")
                        #expect(times == time + time + time)
                    }
                }
                try withOverlay(of: server, in: folder) { mount throws in
                    let times = try mount.bash("touch sub-01/new; stat -c %Y . sub-01")
                    #expect(times.hasPrefix(time) && times != time + time)
                }
            }
        }
    }

    @Test func `rsync finds nothing to do after a remount`() throws {
        try withTree { server in
            try withTemporaryDirectory { directory throws in
                func copy() throws -> [Substring] {
                    try withMount(of: server) { mountPoint throws in
                        try runChecked("rsync", ["-ai", mountPoint + "/", directory + "/copy"]).split(separator: "\n")
                    }
                }
                #expect(try copy().count > 4)
                #expect(try copy() == [])
            }
        }
    }
}
