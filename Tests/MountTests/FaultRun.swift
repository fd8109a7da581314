import Foundation
import ObjectStore
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// A mount during a fault, and the outcome of all operations.
struct FaultRun {
    typealias Operation = ReliabilityPage.Operation

    /// The result of an operation.
    struct End: Sendable {
        /// "works", the error's name in errno(3), or "fails" for a command.
        let outcome: String
        let duration: Duration
    }

    /// Objects that have not been read when the fault begins.
    static let coldKeys: [Key] = ["cold/file", "cold/other"]
    private static let pattern = ObjectBody.pattern(seed: 1, byteCount: 3 << 20)
    private static let patternBytes = pattern.allBytes
    private static let names = (0..<20).map { "entry-\($0)" }.sorted()

    private let server: S3TestServer
    private let mountPoint: String
    private let endpointOptions: [String]

    /// Returns the results of all operations while `fault` lasts.
    static func ends(during fault: LastingFault, readTimeout: Duration) throws -> [Operation: End] {
        try withS3TestServer { server in
            for key in coldKeys + ["warm/file"] { server.put(key, pattern) }
            for name in names { server.put(Key("walk/\(name)"), .text("x")) }
            guard let certificate = fault.certificate else {
                return try ends(on: server, ["--endpoint-url", server.endpointURL], readTimeout: readTimeout) {
                    try fault.begin(server)
                }
            }
            return try withTLS(inFrontOf: server) { front in
                let options = ["--endpoint-url", front.endpointURL, "--ca-bundle", front.authorityPath]
                return try ends(on: server, options, readTimeout: readTimeout) { try front.show(certificate) }
            }
        }
    }

    private static func ends(
        on server: S3TestServer, _ endpointOptions: [String], readTimeout: Duration, begin: () throws -> Void
    ) throws -> [Operation: End] {
        let options = endpointOptions + ["--read-timeout", "\(readTimeout.components.seconds)s"]
        return try withMount(uri: "s3://\(server.bucket)", options: options, environment: environmentWithKeys) {
            mountPoint in
            let run = FaultRun(server: server, mountPoint: mountPoint, endpointOptions: endpointOptions)
            try run.warmUp()
            try begin()
            return run.ends()
        }
    }

    /// Reads the files that are to be cached, and lists the folders of the others.
    private func warmUp() throws {
        // Again where a busy machine exceeds the short read timeout of a test.
        try eventually("that a file is read") { try read("warm/file") == "works" }
        _ = try FileManager.default.contentsOfDirectory(atPath: mountPoint + "/cold")
    }

    /// Runs all operations at once, and then unmounts.
    private func ends() -> [Operation: End] {
        let ends = Mutex<[Operation: End]>([:])
        for group in [[Operation.coldRead, .warmRead, .walk, .mount], [.unmount]] {
            try? inParallel(group.count) { index in
                let end = timed(group[index])
                ends.withLock { $0[group[index]] = end }
            }
        }
        return ends.withLock(\.self)
    }

    private func timed(_ operation: Operation) -> End {
        let start = ContinuousClock.now
        let outcome = Result { try carryOut(operation) }
        let duration = ContinuousClock.now - start
        switch outcome {
        case .success(let outcome): return End(outcome: outcome, duration: duration)
        case .failure(let error): return End(outcome: "\(error)", duration: duration)
        }
    }

    private func carryOut(_ operation: Operation) throws -> String {
        switch operation {
        case .coldRead: try read("cold/file")
        case .warmRead: try read("warm/file")
        case .walk: try walk()
        case .mount: try mount()
        case .unmount: try unmount()
        }
    }

    private func read(_ path: String) throws -> String {
        do {
            let bytes = try withOpenFile(mountPoint + "/" + path) { try $0.bytes(in: 0..<Self.pattern.byteCount) }
            return bytes == Self.patternBytes ? "works" : "wrong bytes"
        } catch let error as Errno {
            return error.name
        }
    }

    private func walk() throws -> String {
        let result = try TestSupport.run(
            "find", [mountPoint + "/walk", "-mindepth", "1", "-printf", "%f\n"], environment: ["LC_ALL": "C"])
        if result.status == 0 {
            return result.output.split(separator: "\n").map(String.init).sorted() == Self.names
                ? "works" : "wrong names"
        }
        let error = Errno.names.keys.first { result.errorOutput.contains("\(Errno(rawValue: $0))") }
        return error.map { Errno(rawValue: $0).name } ?? result.errorOutput
    }

    /// Mounts a second time, and unmounts if that works.
    private func mount() throws -> String {
        try withTemporaryDirectory { directory in
            let result = try TestSupport.run(
                tractfsExecutable(), ["mount", "s3://\(server.bucket)", directory, "--no-cache"] + endpointOptions,
                environment: environmentWithKeys)
            guard result.status == 0 else {
                print("a mount during a fault: \(result.errorOutput)")
                guard result.status == 1 else { return "status \(result.status)" }
                return isMounted(directory) || result.errorOutput.isEmpty ? "fails without a word" : "fails"
            }
            try runChecked("fusermount3", ["-u", "-z", directory])
            try eventually("the second mount's end") { processes(withArgument: directory).isEmpty }
            return "works"
        }
    }

    /// Unmounts while a thread reads bytes that the fault may withhold.
    private func unmount() throws -> String {
        let file = mountPoint + "/cold/other"
        let reader = TestThreads(1) { _ in
            // Whatever it meets: it must not hang, which `wait` would show.
            _ = try? withOpenFile(file) { try $0.bytes(in: 0..<Self.pattern.byteCount) }
        }
        let result = try TestSupport.run(tractfsExecutable(), ["unmount", "--grace", "1s", mountPoint])
        try reader.wait()
        return result.status == 0 && !isMounted(mountPoint) ? "works" : "fails"
    }
}

extension Errno {
    /// The errors of a mount, by their names in errno(3).
    fileprivate static let names: [CInt: String] = [
        Errno.ioError.rawValue: "EIO", Errno.timedOut.rawValue: "ETIMEDOUT",
        Errno.staleNFSFileHandle.rawValue: "ESTALE", Errno.permissionDenied.rawValue: "EACCES",
        Errno.noSuchFileOrDirectory.rawValue: "ENOENT",
    ]

    fileprivate var name: String { Self.names[rawValue] ?? "errno \(rawValue)" }
}
