import FileSystem
import TestSupport
import Testing

@testable import MountControl

/// The JSON of requests and responses.
@Suite("Control documents") struct ControlDocumentTests {
    private func text(_ value: some Encodable) throws -> String {
        String(decoding: try ControlDocument.encode(value), as: UTF8.self)
    }

    @Test func `members keep their order, nil is null, and names are in snake case`() throws {
        var latency = MountStatus.Latency()
        latency.count = 2
        latency.sumSeconds = 0.5
        latency.p90Seconds = 0.25
        #expect(
            try text(latency)
                == "{\"count\": 2, \"sum_seconds\": 0.5, \"p50_seconds\": null, \"p90_seconds\": 0.25, "
                + "\"p99_seconds\": null, \"max_seconds\": null}")
        var names = MountStatus.Names()
        names.badEntries = ["no_size": 1, "noETag": 2]
        #expect(try text(names).hasSuffix("\"inodes\": 0, \"bad_entries\": {\"no_size\": 1, \"noETag\": 2}}"))
    }

    @Test func `control characters of names are escaped, and come back`() throws {
        let values: NamedValues<String> = ["a\"\\\n": "\u{1b}[2J\u{202e}\u{e0001}é\u{0}"]
        let text = try text(values)
        #expect(text == "{\"a\\\"\\\\\\u000a\": \"\\u001b[2J\\u202e\\udb40\\udc01é\\u0000\"}")
        let decoded = try ControlDocument.decode(NamedValues<String>.self, from: Array(text.utf8))
        #expect(decoded.elements.map(\.name) == ["a\"\\\n"] && decoded.elements[0].value == values.elements[0].value)
    }

    @Test(arguments: [
        ControlRequest.processes, .status, .report, .refresh(isRecursive: true), .beginTreeListing,
        .treeListingProgress(of: .max), .presign(name: [0xff, 0x00, 0x2f], lifetime: 60),
        .fetch(FileSystem.FetchRequest(name: [97], actions: [.use, .keep], version: .max, range: 3..<(.max))),
        .cacheRoom, .release(name: []), .page(of: 1, offset: 16_336),
    ])
    func `a request is the same after its way through a document`(request: ControlRequest) throws {
        #expect(try ControlDocument.decode(ControlRequest.self, from: ControlDocument.encode(request)) == request)
    }

    @Test func `the longest name fits into a message`() throws {
        let name = [UInt8](repeating: 0xff, count: 255)
        let request = ControlRequest.fetch(FileSystem.FetchRequest(name: name, actions: .fetch, version: .max))
        #expect(try ControlDocument.encode(request).count <= ControlMessage.contentByteCountMax)
    }

    @Test func `a status has the same members after its way through a document`() throws {
        var status = MountStatus()
        status.requests.get.errors = ["throttled": 3]
        status.diskCache = MountStatus.DiskCache()
        status.supervisorPid = 9
        let once = try text(status)
        #expect(try text(#require(MountStatus(parsing: once))) == once)
    }
}
