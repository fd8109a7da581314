import BlockCache
import FileSystem
import Logging
import Namespace
import ObjectStore
import Reader
import Synchronization
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import MountControl

/// Control calls without a kernel, on a store in memory that answers at once.
@Suite("Control server") struct ControlServerTests {
    private let store = InMemoryStore(delivery: .inline)
    private static let owner = FileSystem.Requester(userID: 1, groupIDs: [2])

    private func server(
        filePermissions: UInt32 = 0o444, report: (@Sendable () -> MountReport)? = nil
    ) throws -> ControlServer {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let ownership = Ownership(
            userID: 1, groupID: 2, filePermissions: filePermissions, directoryPermissions: 0o555)
        let fileSystem = FileSystem(
            namespace: Namespace(
                store: store, root: "", timeToLive: .forever, requestTimeout: .seconds(10),
                metadataByteLimit: 64 << 20, logger: logger),
            reader: Reader(
                store: store, cache: try BlockCache(byteLimit: 32 << 20),
                limits: ReaderLimits(readTimeout: .seconds(10))),
            options: FileSystem.Options(
                bucket: "bucket", ownership: ownership, mountTime: Timestamp(seconds: 0), hasExtendedAttributes: false),
            logger: logger)
        return ControlServer(
            fileSystem: fileSystem,
            processes: {
                MountProcesses(server: 7, supervisor: nil, upgradeCount: 3, upgradeFailure: "no", version: "9")
            }, status: { MountStatus() }, report: report)
    }

    /// Sends the bytes of a message, and returns the response.
    private func send(
        _ bytes: [UInt8], to server: ControlServer, isOwner: Bool = true, requester: FileSystem.Requester = owner
    ) throws -> ControlMessage {
        let response = Mutex<Result<[UInt8], Errno>?>(nil)
        bytes.withUnsafeBytes { bytes in
            _ = server.respond(
                to: bytes, about: .root, isOwner: isOwner, requester: { requester },
                completion: { result in response.withLock { $0 = result } })
        }
        let result = try #require(response.withLock { $0 })
        let message = try result.get()
        #expect(message.count <= ControlMessage.byteCountMax)
        return try #require(message.withUnsafeBytes { ControlMessage($0) })
    }

    /// The bytes of a request as the kernel passes them.
    private func bytes(_ request: ControlRequest, version: UInt32 = ControlMessage.currentVersion) throws -> [UInt8] {
        let bytes = ControlMessage(.request, try ControlDocument.encode(request), version: version).bytes
        return bytes + [UInt8](repeating: 0, count: ControlMessage.byteCountMax - bytes.count)
    }

    private func send(
        _ request: ControlRequest, to server: ControlServer, isOwner: Bool = true,
        requester: FileSystem.Requester = owner
    ) throws -> ControlMessage {
        try send(bytes(request), to: server, isOwner: isOwner, requester: requester)
    }

    private func value<Value: Decodable>(
        of request: ControlRequest, from server: ControlServer, as type: Value.Type = Value.self
    ) throws -> Value {
        let message = try send(request, to: server)
        #expect(message.kind == .response && message.token == 0)
        return try ControlDocument.decode(type, from: message.content)
    }

    // MARK: Versions and hostile bytes

    @Test func `a request of another protocol version is refused by name, but for that of the processes`() throws {
        let server = try server()
        for version in [0, ControlMessage.currentVersion + 1, .max] as [UInt32] {
            #expect(try send(bytes(.status, version: version), to: server).kind == .unsupported)
            let response = try send(bytes(.processes, version: version), to: server)
            #expect(response.kind == .response && response.version == ControlMessage.currentVersion)
            let processes = try ControlDocument.decode(MountProcesses.self, from: response.content)
            #expect(processes.server == 7 && processes.supervisor == nil && processes.upgradeFailure == "no")
        }
    }

    @Test func `bytes that are no request are refused`() throws {
        let server = try server()
        for bytes in [[], [1], [UInt8](repeating: 0xff, count: ControlMessage.byteCountMax)] {
            #expect(throws: Errno.invalidArgument) { try send(bytes, to: server) }
        }
        // A head whose content would end behind the message.
        var long = try bytes(.status)
        long[9] = 0xff
        #expect(throws: Errno.invalidArgument) { try send(long, to: server) }
        // No request, but the response to one.
        let response = ControlMessage(.response, Array("{\"status\": {}}".utf8)).bytes
        #expect(throws: Errno.invalidArgument) { try send(response, to: server) }
        for text in [
            "", "{", "null", "{\"status\": 1}", "{\"become_root\": {}}", "{\"page\": {\"of\": -1, \"offset\": 0}}",
            "{\"fetch\": {\"_0\": {\"name\": [97], \"actions\": 2, \"version\": 0, \"range\": [5, 3]}}}",
            String(repeating: "[", count: 16_000),
        ] {
            let response = try send(ControlMessage(.request, Array(text.utf8)).bytes, to: server)
            #expect(response.kind == .unsupported, "\(text)")
        }
    }

    @Test func `random bytes never end the server`() throws {
        let server = try server()
        let seed = UInt64.random(in: 0...(.max))
        var random = SeededGenerator(seed: seed)
        let good = try bytes(.fetch(FileSystem.FetchRequest(name: Array("f".utf8), actions: .fetch, range: 0..<9)))
        for _ in 0..<500 {
            var bytes = Array(good.prefix(Int.random(in: 0...160, using: &random)))
            for _ in 0..<Int.random(in: 0...3, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = try? send(bytes, to: server)
        }
    }

    @Test(arguments: [
        ControlRequest.presign(name: Array("f".utf8), lifetime: 0), .presign(name: Array("f".utf8), lifetime: 604_801),
        .presign(name: Array("f".utf8), lifetime: .max),
    ])
    func `a validity that S3 doesn't allow is refused`(request: ControlRequest) throws {
        #expect(throws: Errno.invalidArgument) { try send(request, to: server()) }
    }

    // MARK: Permissions

    @Test func `only the user who mounted, and root, may pin and unpin files`() throws {
        let server = try server()
        let pin = ControlRequest.fetch(
            FileSystem.FetchRequest(name: Array("f".utf8), actions: [.fetch, .keep], range: 0..<1))
        for request in [pin, .release(name: [])] {
            #expect(throws: Errno.notPermitted) { try send(request, to: server, isOwner: false) }
            // There is no disk cache.
            #expect(throws: Errno.operationNotSupportedByDevice) { try send(request, to: server) }
        }
    }

    @Test func `URLs and fetches are for processes that may read the file, by user or any of their groups`() throws {
        let server = try server(filePermissions: 0o440)
        let requests = [
            ControlRequest.presign(name: Array("f".utf8), lifetime: 60),
            .fetch(FileSystem.FetchRequest(name: Array("f".utf8), actions: [])),
        ]
        for request in requests {
            let stranger = FileSystem.Requester(userID: 5, groupIDs: [6])
            #expect(throws: Errno.permissionDenied) { try send(request, to: server, requester: stranger) }
            for requester in [Self.owner, .init(userID: 0, groupIDs: []), .init(userID: 5, groupIDs: [6, 2])] {
                // They get past the check: there is no such file, and no disk cache.
                #expect(throws: (any Error).self) { try send(request, to: server, requester: requester) }
                do { _ = try send(request, to: server, requester: requester) } catch {
                    #expect(error as? Errno != .permissionDenied)
                }
            }
        }
    }

    // MARK: Tree listings

    @Test func `no more trees are listed at once than the limit, and another one when one of them is done`() throws {
        store.put("d/f", .text("x"))
        let server = try server()
        store.hold()
        let tokens = try (0..<ControlServer.listingCountMax).map { _ in
            try value(of: .beginTreeListing, from: server, as: UInt64.self)
        }
        #expect(Set(tokens).count == tokens.count)
        #expect(throws: Errno.resourceBusy) { try send(.beginTreeListing, to: server) }
        store.releaseAll()
        for token in tokens {
            let progress = try value(of: .treeListingProgress(of: token), from: server, as: TreeListingProgress.self)
            #expect(progress.isDone && progress.failure == nil)
            // The final progress has ended the lease.
            #expect(throws: Errno.noData) { try send(.treeListingProgress(of: token), to: server) }
        }
        _ = try send(.beginTreeListing, to: server)
    }

    @Test func `a token of another server is unknown`() throws {
        let token = try value(of: .beginTreeListing, from: server(), as: UInt64.self)
        #expect(throws: Errno.noData) { try send(.treeListingProgress(of: token), to: server()) }
        #expect(throws: Errno.noData) { try send(.page(of: token, offset: 0), to: server()) }
    }

    // MARK: Pages

    private static func report(fileCount: Int) -> MountReport {
        var report = MountReport()
        report.access.files = (0..<fileCount).map { number in
            var file = MountReport.File()
            file.path = "folder/file \(number)"
            return file
        }
        return report
    }

    @Test(arguments: [0, 100, 2_000])
    func `the pages of a long response are one document, and are given once`(fileCount: Int) throws {
        let server = try server(report: { Self.report(fileCount: fileCount) })
        let first = try send(.report, to: server)
        var document = first.content
        while document.count < first.documentByteCount {
            // A page may be sent again, if the response was lost.
            for _ in 0..<2 where document.count + ControlMessage.contentByteCountMax < first.documentByteCount {
                _ = try send(.page(of: first.token, offset: document.count), to: server)
            }
            document += try send(.page(of: first.token, offset: document.count), to: server).content
        }
        let report = try ControlDocument.decode(MountReport.self, from: document)
        #expect(report.access.files.map(\.path) == Self.report(fileCount: fileCount).access.files.map(\.path))
        #expect(throws: Errno.noData) { try send(.page(of: first.token, offset: 0), to: server) }
    }

    @Test func `no more long responses are held than the limit, and pages behind their end are refused`() throws {
        let server = try server(report: { Self.report(fileCount: 2_000) })
        let tokens = try (0..<ControlServer.documentCountMax).map { _ in try send(.report, to: server).token }
        #expect(throws: Errno.resourceBusy) { try send(.report, to: server) }
        for offset in [-1, Int.min, Int.max, 10_000_000] {
            #expect(throws: Errno.invalidArgument) { try send(.page(of: tokens[0], offset: offset), to: server) }
        }
        _ = try value(of: .status, from: server, as: MountStatus.self)
    }
}
