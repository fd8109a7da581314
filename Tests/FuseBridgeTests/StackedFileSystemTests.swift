import Foundation
import SystemPackage
import TestSupport
import Testing

private let overlays = ConditionTrait.enabled(
    if: (try? String(contentsOfFile: "/proc/filesystems", encoding: .utf8))?.contains("\toverlay\n") == true,
    "needs a kernel with overlayfs")

/// Mounts overlayfs on two folders, the first of which hides the second, and calls `body` with its path.
private func withOverlay(of upper: String, and lower: String, _ body: (String) throws -> Void) throws {
    try withTemporaryDirectory { path in
        try runChecked("mount", ["-t", "overlay", "overlay", "-o", "ro,lowerdir=\(upper):\(lower)", path])
        let result = Result { try body(path) }
        try runChecked("umount", [path])
        try result.get()
    }
}

@Suite("Passthrough and overlayfs", mounts, passesThrough, overlays) struct StackedFileSystemTests {
    @Test func `a file on overlayfs is read through this process`() throws {
        try PassthroughObject.withMount { object, path in
            try withTemporaryDirectory { empty in
                let folder = URL(fileURLWithPath: object.localPath).deletingLastPathComponent().path
                try withOverlay(of: empty, and: folder) { overlay in
                    object.setLocalFile(overlay + "/local")
                    let read = try bytes(at: path)
                    #expect(read == object.storeBytes)
                }
            }
            // The reason applies to the whole disk, so no file is registered any more.
            object.setLocalFile(object.localPath)
            #expect(try bytes(at: path) == object.storeBytes)
        }
    }

    @Test func `overlayfs on top of the mount reads the backing file`() throws {
        try PassthroughObject.withMount { object, path in
            try withTemporaryDirectory { empty in
                let mountPoint = URL(fileURLWithPath: path).deletingLastPathComponent().path
                try withOverlay(of: empty, and: mountPoint) { overlay in
                    let file = try open(overlay + "/f")
                    defer { try? file.close() }
                    #expect(try bytes(of: file) == object.localBytes)
                    #expect(try mappedBytes(of: file, MAP_SHARED) == object.localBytes)
                }
            }
            #expect(object.store.rangeRequests.isEmpty)
        }
    }
}
