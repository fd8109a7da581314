import Foundation
import MountControl
import ObjectStore
import TestSupport
import Testing

@testable import tractfs

/// For tests of mounts with an overlay: they need root, overlayfs, and a temporary folder that it can write to.
let overlays = MountCondition(
    if: overlayAvailable, "needs root, /dev/fuse, overlayfs, and a temporary folder that is not on overlayfs")

private let overlayAvailable: Bool = {
    let types = (try? String(contentsOfFile: "/proc/filesystems", encoding: .utf8)) ?? ""
    let type = try? runChecked("stat", ["--file-system", "--format=%T", FileManager.default.temporaryDirectory.path])
    return fuseAvailable && geteuid() == 0 && types.contains("\toverlay\n") && type != "overlayfs\n"
}()

/// A mount with an overlay, and the folder of its changes.
struct OverlaidMount {
    let point: String
    let folder: String

    var upper: String { folder + "/upper" }

    /// Runs a shell script in the mount, with the mount point as its first argument, and returns its output.
    @discardableResult
    func bash(_ script: String, _ arguments: [String] = []) throws -> String {
        try runChecked(
            "bash", ["-euo", "pipefail", "-c", script, point] + arguments, environment: ["LC_ALL": "C"],
            directory: point)
    }

    func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(point)/\(path)", encoding: .utf8)
    }

    func tractfs(_ arguments: String...) throws -> CommandResult {
        try run(tractfsExecutable(), arguments, timeout: .seconds(60))
    }

    func status() throws -> MountStatus {
        try #require(MountStatus(parsing: runChecked(tractfsExecutable(), ["status", point, "--json"])))
    }
}

/// Mounts what `server` holds with an overlay in `folder`.
func withOverlay<Result>(
    of server: S3TestServer, in folder: String, options: [String] = [], _ body: (OverlaidMount) throws -> Result
) throws -> Result {
    try withMount(of: server, options: ["--overlay", folder] + options) { mountPoint throws in
        try body(OverlaidMount(point: mountPoint, folder: folder))
    }
}

/// The same in a new folder.
func withOverlay<Result>(
    of server: S3TestServer, options: [String] = [], _ body: (OverlaidMount) throws -> Result
) throws -> Result {
    try withOverlayFolder { try withOverlay(of: server, in: $0, options: options, body) }
}

/// Makes a folder for an overlay.
func withOverlayFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    try withTemporaryDirectory { directory in
        let folder = directory + "/overlay"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        return try body(folder)
    }
}
