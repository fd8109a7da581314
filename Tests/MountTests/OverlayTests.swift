import Foundation
import Glibc
import MountControl
import ObjectStore
import SystemPackage
import TestSupport
import Testing

@testable import tractfs

@Suite(.serialized, overlays) struct OverlayTests {
    private func fill(_ server: S3TestServer) {
        for subject in ["100307", "100408"] {
            server.put(Key("\(subject)/T1w/T1w.nii.gz"), .pattern(seed: 1, byteCount: 3_000_000))
            server.put(Key("\(subject)/T1w/aseg.stats"), .text("# stats of \(subject)\nvolume 1\n"))
            server.put(Key("\(subject)/MNINonLinear/note.txt"), .text("note\n"))
        }
        server.put("README", .text("read me\n"))
    }

    /// Writes of a pipeline next to its inputs.
    private static let writing = """
        cd 100307/T1w
        touch made aseg.stats; mkdir -p T1w_results/a/b . ; cp aseg.stats T1w_results/a/b/copy
        mv made T1w_results/moved; rm ../MNINonLinear/note.txt; rmdir ../MNINonLinear
        ln -s /opt/fsaverage fsaverage; ln aseg.stats linked
        sed -i s/volume/Volume/ aseg.stats; echo more >> aseg.stats
        mv ../../README ../../README.txt
        python3 - <<'X'
        with open("T1w.nii.gz", "r+b") as f: f.seek(1_000_000); f.write(b"WRITTEN"); f.truncate(2_000_000)
        import sqlite3
        with sqlite3.connect("log.db") as db: db.execute("create table t (x)"); db.execute("insert into t values (7)")
        import tempfile
        with tempfile.TemporaryFile(dir=".") as f: f.write(b"x")
        X
        """

    private static let looking = """
        find . -printf '%P %y %s\\n' | grep -v ' d ' | sort; cd 100307/T1w; cat aseg.stats; readlink fsaverage
        head -c 1000007 T1w.nii.gz | tail -c 7; echo
        python3 -c 'import sqlite3; print(sqlite3.connect("log.db").execute("select x from t").fetchall())'
        """

    private static let seen = """
        100307/T1w/T1w.nii.gz f 2000000
        100307/T1w/T1w_results/a/b/copy f 27
        100307/T1w/T1w_results/moved f 0
        100307/T1w/aseg.stats f 32
        100307/T1w/fsaverage l 14
        100307/T1w/linked f 27
        100307/T1w/log.db f 8192
        100408/MNINonLinear/note.txt f 5
        100408/T1w/T1w.nii.gz f 3000000
        100408/T1w/aseg.stats f 27
        README.txt f 8
        # stats of 100307
        Volume 1
        more
        /opt/fsaverage
        WRITTEN
        [(7,)]

        """

    @Test func `An overlay has the writes of pipelines in the next mount, and never writes to the bucket`() throws {
        try withS3TestServer { server in
            fill(server)
            try withOverlayFolder { folder in
                try withOverlay(of: server, in: folder) { mount throws in
                    try mount.bash(Self.writing)
                    #expect(try mount.bash(Self.looking) == Self.seen)
                    #expect(server.log.allSatisfy { [.get, .list].contains($0.request.kind) })
                    // Plain files, which can be copied from the folder.
                    #expect(
                        try String(contentsOfFile: mount.upper + "/100307/T1w/aseg.stats", encoding: .utf8)
                            .hasSuffix("more\n"))
                }
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["bucket", "upper", "work"])
                try withOverlay(of: server, in: folder) { mount throws in
                    #expect(try mount.bash(Self.looking) == Self.seen)
                }
                // Without the overlay the bucket is unchanged.
                try withMount(of: server) { mountPoint throws in
                    #expect(
                        try runChecked("cat", [mountPoint + "/README", mountPoint + "/100307/MNINonLinear/note.txt"])
                            == "read me\nnote\n")
                }
                // A new overlay has no changes.
                for name in ["upper", "work"] { try FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
                try withOverlay(of: server, in: folder) { mount throws in
                    #expect(try mount.text("README") == "read me\n")
                }
            }
        }
    }

    @Test func `A folder of the bucket is renamed in an overlay without being read, for good`() throws {
        try withS3TestServer { server in
            fill(server)
            try withOverlayFolder { folder in
                try withOverlay(of: server, in: folder) { mount throws in
                    try mount.bash("mv 100307 subject; mv 100408/T1w 100408/T2w; echo new > 100408/T2w/new")
                    #expect(server.requests(.get).isEmpty)
                }
                try withOverlay(of: server, in: folder) { mount throws in
                    #expect(
                        try mount.bash("ls; ls 100408 100408/T2w; cat subject/T1w/aseg.stats") == """
                            100408
                            README
                            subject
                            100408:
                            MNINonLinear
                            T2w

                            100408/T2w:
                            T1w.nii.gz
                            aseg.stats
                            new
                            # stats of 100307
                            volume 1

                            """)
                }
            }
        }
    }

    @Test func `Files in an overlay can be mapped, before and after they were copied up`() throws {
        let body = ObjectBody.pattern(seed: 5, byteCount: 2_000_000)
        try withS3TestServer { server in
            server.put("file", body)
            try withOverlay(of: server) { mount throws in
                func mapped(_ path: String, _ count: Int) throws -> [UInt8] {
                    try withOpenFile(path) { file in
                        let address = mmap(nil, count, PROT_READ, MAP_SHARED, file.rawValue, 0)
                        let memory = try #require(address != MAP_FAILED ? address : nil)
                        defer { munmap(memory, count) }
                        return [UInt8](UnsafeRawBufferPointer(start: memory, count: count))
                    }
                }
                let path = mount.point + "/file"
                expectSame(try mapped(path, body.byteCount), body.allBytes)
                try mount.bash("printf XYZ | dd of=file bs=1 seek=1000 conv=notrunc status=none")
                var changed = body.allBytes
                changed.replaceSubrange(1_000..<1_003, with: Array("XYZ".utf8))
                expectSame(try mapped(path, body.byteCount), changed)
                try mount.bash(
                    """
                    python3 - <<'X'
                    import mmap
                    with open("file", "r+b") as f, mmap.mmap(f.fileno(), 0) as m: m[5:8] = b"abc"; m.flush()
                    X
                    """)
                changed.replaceSubrange(5..<8, with: Array("abc".utf8))
                expectSame(try mapped(path, body.byteCount), changed)
            }
        }
    }

    @Test(
        .enabled(
            if: passthroughAvailable, "needs root, Linux 6.9 or later, and a temporary folder that is not on overlayfs")
    )
    func `An overlay passes reads of cached files through to the disk`() throws {
        let body = try ObjectBody.random(byteCount: 5_000_000)
        try withTemporaryDirectory { cache in
            try withS3TestServer { server in
                server.put("file", body)
                let options = ["--cache-dir", cache + "/cache"]
                try withOverlay(of: server, options: options) { mount throws in
                    expectSame(
                        try withOpenFile(mount.point + "/file") { try $0.bytes(in: 0..<body.byteCount) }, body.allBytes)
                }
                try withOverlay(of: server, options: options) { mount throws in
                    #expect(try mount.status().passthrough.opens == 0)
                    expectSame(
                        try withOpenFile(mount.point + "/file") { try $0.bytes(in: 0..<body.byteCount) }, body.allBytes)
                    let status = try mount.status()
                    #expect(status.passthrough.opens == 1 && status.reads.reads == 0)
                    // Copied up from there, too.
                    try mount.bash("printf X >> file")
                    #expect(try mount.status().passthrough.opens > 1)
                    expectSame(
                        try withOpenFile(mount.point + "/file") { try $0.bytes(in: 0..<body.byteCount + 9) },
                        body.allBytes + Array("X".utf8))
                    #expect(server.requests(.get).isEmpty)
                }
            }
        }
    }

    @Test func `An overlay has one device number and whole inode numbers`() throws {
        try withS3TestServer { server in
            fill(server)
            try withOverlay(of: server) { mount throws in
                try mount.bash("echo x > new")
                let devices = try mount.bash("find . -printf '%D\\n' | sort -u")
                #expect(devices.split(separator: "\n").count == 1)
                // The inode numbers of readdir(3) and stat(2).
                let numbers = "100307/T1w/aseg.stats"
                let listed = try mount.bash("ls -i \(numbers) | cut -d' ' -f1; stat -c %i \(numbers)")
                #expect(Set(listed.split(separator: "\n")).count == 1)
                let tar = try mount.bash("tar --one-file-system -cf - . | tar -tf - | grep -c aseg.stats")
                #expect(tar == "2\n")
            }
        }
    }

    @Test func `An --overlay folder can have any path`() throws {
        try withS3TestServer { server in
            server.put("d/file", .text("x\n"))
            try withTemporaryDirectory { directory in
                let folder = directory + "/a b,c:d\\e=f\"g\\\\'ä"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
                let mountPoint = directory + "/m n,o:p\\q"
                try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: false)
                let options = ["--no-cache", "--endpoint-url", server.endpointURL]
                defer { _ = try? run("umount", ["-l", mountPoint]) }
                for content in ["1", "2"] {
                    try runChecked(
                        tractfsExecutable(),
                        ["mount", "s3://\(server.bucket)", mountPoint, "--overlay", folder] + options,
                        environment: environmentWithKeys)
                    let mount = OverlaidMount(point: mountPoint, folder: folder)
                    #expect(try mount.status().overlay == mount.upper)
                    #expect(try mount.tractfs("refresh", mountPoint + "/d").status == 0)
                    try mount.bash("cat d/file >> d/\(content); cp d/file d/new")
                    try runChecked(tractfsExecutable(), ["unmount", mountPoint])
                    #expect(!FileManager.default.fileExists(atPath: mountPoint + "/d"))
                }
                #expect(
                    try FileManager.default.contentsOfDirectory(atPath: folder + "/upper/d").sorted() == [
                        "1", "2", "new",
                    ])
            }
        }
    }
}
