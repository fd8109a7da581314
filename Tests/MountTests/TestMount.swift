import ObjectStore
import SystemPackage
import TestSupport
import Testing

/// A condition of tests that mount. They wait for processes most of the time, so they run on `WaitingThreads`.
struct MountCondition: TestTrait, SuiteTrait, TestScoping {
    private let condition: ConditionTrait
    let isRecursive = true

    init(if isMet: Bool, _ reason: Comment) {
        condition = .enabled(if: isMet, reason)
    }

    func prepare(for test: Test) async throws {
        try await condition.prepare(for: test)
    }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(WaitingThreads.shared) { try await function() }
    }
}

/// The condition of all tests that mount: /dev/fuse.
let mounts = MountCondition(if: fuseAvailable, Comment(rawValue: fuseMissing))

/// Mounts the contents of the test server. Its log is empty when `body` is called, without the requests of mounting.
func withMount<Result>(
    of server: S3TestServer, options: [String] = [], _ body: (String) throws -> Result
) throws -> Result {
    let options = ["--endpoint-url", server.endpointURL] + options
    return try withMount(uri: "s3://\(server.bucket)", options: options, environment: environmentWithKeys) {
        mountPoint in
        server.clearLog()
        return try body(mountPoint)
    }
}

/// Mounts several times at once.
func withMounts(
    _ count: Int, of server: S3TestServer, options: [String], _ body: ([String]) throws -> Void
) throws {
    if count == 0 { return try body([]) }
    try withMount(of: server, options: options) { mountPoint in
        try withMounts(count - 1, of: server, options: options) { try body($0 + [mountPoint]) }
    }
}

extension ObjectBody {
    /// Returns random bytes, much faster than a pattern of the same size.
    static func random(byteCount: Int) throws -> ObjectBody {
        .bytes(try withOpenFile("/dev/urandom") { try $0.bytes(byteCount) { try $0.read(into: $1) } })
    }
}

/// Opens a file for reading, and closes it whatever `body` does. Not handed on to child processes, whose open files
/// would keep a mount busy.
func withOpenFile<Result>(_ path: String, _ body: (FileDescriptor) throws -> Result) throws -> Result {
    let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
    return try file.closeAfter { try body(file) }
}

extension FileDescriptor {
    /// The bytes at the offsets of `range`, fewer where the file ends in it.
    func bytes(in range: Range<Int>) throws -> [UInt8] {
        var offset = Int64(range.lowerBound)
        return try bytes(range.count) { file, buffer in
            let count = try file.read(fromAbsoluteOffset: offset, into: buffer)
            offset += Int64(count)
            return count
        }
    }

    /// Reads until `byteCount` bytes have come, or no more do.
    fileprivate func bytes(
        _ byteCount: Int, read: (FileDescriptor, UnsafeMutableRawBufferPointer) throws -> Int
    ) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, filledCount in
            while filledCount < byteCount {
                let rest = UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[filledCount...])
                let count = try read(self, rest)
                if count == 0 { break }
                filledCount += count
            }
        }
    }
}

/// The error number that `body` fails with; `nil` where it succeeds.
func errno<Result>(of body: () throws -> Result) -> Errno? {
    do {
        _ = try body()
        return nil
    } catch {
        // An error of another kind is a failure that no test expects.
        return error as? Errno ?? Errno(rawValue: -1)
    }
}

/// Expects the same bytes, and says where they differ: `#expect` would look for the difference of megabytes.
func expectSame(_ bytes: [UInt8], _ expected: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) {
    if bytes == expected { return }
    let offset = zip(bytes, expected).enumerated().first { $1.0 != $1.1 }?.offset ?? min(bytes.count, expected.count)
    Issue.record(
        "\(bytes.count) bytes for \(expected.count), different from offset \(offset) on", sourceLocation: sourceLocation
    )
}
