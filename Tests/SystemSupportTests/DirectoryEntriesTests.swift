import Foundation
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@Suite("Entries of directories") struct DirectoryEntriesTests {
    @Test func `The entries of a directory are all its names, of any length`() throws {
        try withTemporaryDirectory { folder in
            let names = ["a", ".hidden", "é", String(repeating: "x", count: 255)]
            for name in names { try Data().write(to: URL(filePath: "\(folder)/\(name)")) }
            try FileManager.default.createDirectory(atPath: "\(folder)/folder", withIntermediateDirectories: false)
            #expect(Set(DirectoryEntries.names(in: folder)) == Set(names + ["folder"]))
        }
    }

    @Test func `A missing directory has no names, and a file can't be read as one`() {
        #expect(DirectoryEntries.names(in: "/nowhere").isEmpty)
        #expect(throws: Errno.notDirectory) { _ = try DirectoryEntries("/proc/self/stat") }
    }
}
