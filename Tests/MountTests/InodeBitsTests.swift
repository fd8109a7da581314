import Foundation
import ObjectStore
import TestSupport
import Testing

/// `--inode-bits 32` on a real mount.
@Suite(.serialized, mounts) struct InodeBitsTests {
    private static let options = ["--inode-bits", "32", "--no-cache"]

    private func withTree(options: [String] = Self.options, _ test: (String) throws -> Void) throws {
        try withS3TestServer { server in
            for folder in 0..<20 {
                for file in 0..<150 { server.put(Key("folder-\(folder)/deep/\(file).txt"), .text("x")) }
            }
            try withMount(of: server, options: options) { try test($0) }
        }
    }

    /// The inode numbers of all below a folder, by paths, as readdir tells them and as lstat does.
    private func numbers(below folder: String) throws -> (listed: [String: UInt64], looked: [String: UInt64]) {
        let script = """
            import os, sys
            def walk(folder):
                for e in os.scandir(folder):
                    print(e.path, e.inode(), os.lstat(e.path).st_ino)
                    if e.is_dir(): walk(e.path)
            walk(sys.argv[1])
            """
        var (listed, looked): ([String: UInt64], [String: UInt64]) = ([:], [:])
        for line in try runChecked("python3", ["-c", script, folder]).split(separator: "\n") {
            let words = line.split(separator: " ")
            listed[String(words[0])] = UInt64(words[1])
            looked[String(words[0])] = UInt64(words[2])
        }
        return (listed, looked)
    }

    @Test func `With --inode-bits 32 inode numbers are below 2^32, unique, and the same in readdir and stat`() throws {
        try withTree { mountPoint throws in
            let (listed, looked) = try numbers(below: mountPoint)
            #expect(looked.count == 20 * 152)
            #expect(listed == looked)
            #expect(Set(looked.values).count == looked.count)
            #expect(looked.values.allSatisfy { $0 > 1 && $0 < 1 << 32 })
            let dots = try runChecked("ls", ["-ai", mountPoint + "/folder-1/deep"]).split(separator: "\n").prefix(2)
            let folders = try runChecked(
                "stat", ["-c", "%i", mountPoint + "/folder-1/deep", mountPoint + "/folder-1"])
            #expect(dots.compactMap { $0.split(separator: " ").first } == folders.split(separator: "\n"))
        }
    }

    @Test func `With --inode-bits 32 a server that takes over shows the same inode numbers`() throws {
        try withTree { mountPoint throws in
            let before = try numbers(below: mountPoint).looked
            let processes = try #require(MountProcesses(of: mountPoint))
            kill(processes.server, SIGKILL)
            try eventually("a successor") {
                MountProcesses(of: mountPoint).map { $0.server != processes.server } ?? false
            }
            #expect(try numbers(below: mountPoint).looked == before)
        }
    }

    @Test func `With --inode-bits 32 the numbers of statfs fit in 32 bits`() throws {
        try withTree { mountPoint throws in
            let words = try runChecked("stat", ["-f", "-c", "%b %f %a %c %d %S", mountPoint])
                .split(whereSeparator: \.isWhitespace).compactMap { UInt64($0) }
            #expect(words.count == 6)
            #expect(words.allSatisfy { $0 > 0 && $0 < 1 << 32 })
        }
    }

    @Test func `Without --inode-bits inode numbers are 62 bits of a hash`() throws {
        try withTree(options: ["--inode-bits", "64", "--no-cache"]) { mountPoint throws in
            let looked = try numbers(below: mountPoint).looked
            #expect(looked.values.contains { $0 >= 1 << 32 })
            #expect(looked.values.allSatisfy { $0 < 1 << 62 })
        }
    }

    /// `true` if programs of 32 bits can be built and run here.
    private static let canBuildFor32Bits =
        (try? run("sh", ["-c", "echo 'int main(void){return 0;}' | gcc -m32 -xc - -o /dev/null"]).status) == 0

    @Test(.enabled(if: canBuildFor32Bits, "needs gcc -m32"))
    func `With --inode-bits 32 a 32-bit program without large-file support reads folders and files`() throws {
        let program = """
            #include <dirent.h>
            #include <fcntl.h>
            #include <stdio.h>
            #include <string.h>
            #include <errno.h>
            #include <sys/stat.h>
            #include <sys/vfs.h>
            int main(int argc, char **argv) {
                struct stat s; struct statfs f; struct dirent *e; int n = 0;
                if (chdir(argv[1]) || stat("0.txt", &s) || statfs(".", &f)) return printf("%s\\n", strerror(errno)), 1;
                DIR *d = opendir(".");
                errno = 0;
                while ((e = readdir(d))) n++;
                if (errno) return printf("%s\\n", strerror(errno)), 1;
                printf("%d %d %d\\n", (int)sizeof s.st_ino, n, open("0.txt", O_RDONLY) >= 0);
                return 0;
            }
            """
        try withTemporaryDirectory { directory in
            try program.write(toFile: directory + "/program.c", atomically: true, encoding: .utf8)
            try runChecked(
                "gcc", ["-m32", "-w", "-include", "unistd.h", directory + "/program.c", "-o", directory + "/program"])
            try withTree { mountPoint throws in
                let output = try runChecked(directory + "/program", [mountPoint + "/folder-1/deep"])
                #expect(output == "4 152 1\n")
            }
        }
    }
}
