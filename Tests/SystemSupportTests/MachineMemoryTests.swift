import Foundation
import SystemPackage
import SystemSupport
import TestSupport
import Testing

/// A control group's files, and what they leave a process.
struct ControlGroup: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let groups: String
    let files: [String: String]
    let expected: Int?

    /// Creates a case.
    ///
    /// - Parameter expected: `nil` for the machine's memory.
    init(_ description: String, groups: String, files: [String: String] = [:], expected: Int?) {
        testDescription = description
        self.groups = groups
        self.files = files
        self.expected = expected
    }
}

@Suite("The memory that a process may use") struct MachineMemoryTests {
    @Test(
        "The memory of a process is that of the machine, or the limit of its control group",
        arguments: [
            ControlGroup("no groups", groups: "", expected: nil),
            ControlGroup(
                "a limit in a container", groups: "0::/", files: ["memory.max": "104857600\n"], expected: 104_857_600),
            ControlGroup(
                "no limit", groups: "0::/user.slice", files: ["user.slice/memory.max": "max\n"], expected: nil),
            ControlGroup(
                "the smallest of a group and those above it", groups: "0::/a/b",
                files: ["a/b/memory.max": "300000000\n", "a/memory.max": "200000000\n"], expected: 200_000_000),
            ControlGroup(
                "a path of the host's", groups: "0::/docker/1234", files: ["memory.max": "104857600\n"],
                expected: 104_857_600),
            ControlGroup(
                "version 1", groups: "11:cpu,cpuacct:/x\n4:memory:/docker/1\n0::/x",
                files: ["memory/docker/1/memory.limit_in_bytes": "104857600\n"], expected: 104_857_600),
            ControlGroup(
                "version 1 without a limit", groups: "4:memory:/",
                files: [
                    "memory/memory.limit_in_bytes": "9223372036854771712\n"
                ], expected: nil),
            ControlGroup("noise", groups: "::::\nx\n0::", files: ["memory.max": "lots"], expected: nil),
        ])
    func limits(_ group: ControlGroup) throws {
        try withTemporaryDirectory { root in
            try write(group.groups, to: root + "/proc/self/cgroup")
            for (path, text) in group.files { try write(text, to: root + "/sys/fs/cgroup/" + path) }
            let whole = MachineMemory.byteCount(root: FilePath(root + "/nothing"))
            #expect(whole > 104_857_600)
            #expect(MachineMemory.byteCount(root: FilePath(root)) == group.expected ?? whole)
        }
    }

    @Test func `The available memory is that of /proc/meminfo`() throws {
        try withTemporaryDirectory { root in
            #expect(MachineMemory.availableByteCount(root: FilePath(root)) == nil)
            try write("MemTotal:  900 kB\nMemAvailable:     300 kB\n", to: root + "/proc/meminfo")
            #expect(MachineMemory.availableByteCount(root: FilePath(root)) == 307_200)
        }
    }

    private func write(_ text: String, to path: String) throws {
        let folder = (path as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }
}
