import Foundation

/// The folder of Package.swift.
public let packageRoot = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

/// The python3 that has boto3 and the real servers: `TRACTFS_PYTHON`, else that of scripts/setup, else the system's.
public func pythonExecutable() -> String {
    if let path = ProcessInfo.processInfo.environment["TRACTFS_PYTHON"] { return path }
    let ours = packageRoot + "/.venv/bin/python3"
    return FileManager.default.isExecutableFile(atPath: ours) ? ours : "python3"
}

/// A program that a python package brought: next to its python3, else looked for in `PATH`.
func pythonTool(_ name: String) -> String {
    let neighbour = URL(fileURLWithPath: pythonExecutable()).deletingLastPathComponent().path + "/" + name
    return FileManager.default.isExecutableFile(atPath: neighbour) ? neighbour : name
}

/// The tractfs that was built with the tests: SwiftPM puts it next to the test bundle, which is this process.
public func tractfsExecutable() throws -> String {
    let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let path = URL(fileURLWithPath: bundle).deletingLastPathComponent().path + "/tractfs"
    guard FileManager.default.isExecutableFile(atPath: path) else {
        throw CommandFailure(description: "\(path) is missing; build it with: swift build --build-tests")
    }
    return path
}

/// Returns the command that runs a shell script in a mount namespace of its own. Words behind it are the script's
/// arguments, "$0" first.
///
/// The namespace starts with copies of all mounts, also those of concurrent tests, which would stay mounted until it
/// ends. The command unmounts them.
public func inMountNamespace(_ script: String) -> [String] {
    let letGo = """
        umount --all --lazy --types fuse.tractfs 2> /dev/null || true
        awk '/ - overlay s3:/ { print $5 }' /proc/self/mountinfo | xargs -r umount --lazy || true
        """
    return ["unshare", "--mount", "bash", "-c", "\(letGo)\n\(script)"]
}

/// Makes a folder for `body`, and removes it with all that is in it, whatever `body` does.
public func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    var template = Array((FileManager.default.temporaryDirectory.path + "/tractfs-test.XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}
