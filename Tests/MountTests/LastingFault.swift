import ObjectStore
import TestSupport

/// A lasting fault between a mount and its store.
struct LastingFault: Sendable {
    /// The name in the table of docs/RELIABILITY.md.
    let name: String
    /// Begins the fault.
    let begin: @Sendable (S3TestServer) throws -> Void
    /// The certificate for clients; `nil` without TLS.
    var certificate: TLSFront.Certificate?

    init(_ name: String, _ begin: @escaping @Sendable (S3TestServer) throws -> Void) {
        self.name = name
        self.begin = begin
    }

    /// Creates a fault of every request.
    init(_ name: String, _ action: S3Action) {
        self.init(name) { $0.script(.any, action) }
    }

    /// Creates a fault with one action for reads and another for listings.
    init(_ name: String, gets: S3Action, lists: S3Action) {
        self.init(name) {
            $0.script(.gets, gets)
            $0.script(.lists, lists)
        }
    }

    /// Creates a fault of one request in three.
    init(inSome name: String, seed: UInt64, _ action: S3Action) {
        self.init("In one of three requests: \(name)") { $0.script(.any.some(0.33, seed: seed), action) }
    }

    /// Creates a fault of the certificate.
    init(_ name: String, _ certificate: TLSFront.Certificate) {
        self.init(name) { _ in }
        self.certificate = certificate
    }

    static let all = slow + some + refusals + broken + lies + certificates + floods

    private static let slow = [
        LastingFault("Each response 300 ms late", .linger(.delay(.milliseconds(300)))),
        LastingFault("Responses late at random, a few of them very late") {
            $0.setLatency(.logNormal(median: .milliseconds(30), sigma: 1), seed: 3)
        },
        LastingFault("A bandwidth of 1 MB/s") { $0.setBandwidth(overall: 1_000_000) },
        LastingFault("Silence after the request", .linger(.stall)),
        LastingFault(
            "Silence in the middle of a body", gets: .linger(.stallAfter(byteCount: 300_000)),
            lists: .linger(.stallAfter(byteCount: 200))),
        LastingFault(
            "One byte a second", gets: .linger(.drip(afterByteCount: 1_000, bytesPerSecond: 1)),
            lists: .linger(.drip(afterByteCount: 200, bytesPerSecond: 1))),
    ]

    private static let some = [
        LastingFault(inSome: "503 SlowDown", seed: 1, .refuse(.slowDown)),
        LastingFault(inSome: "500 InternalError", seed: 2, .refuse(.internalError)),
        LastingFault(inSome: "429 TooManyRequests", seed: 3, .refuse(.tooManyRequests)),
        LastingFault(inSome: "a connection reset", seed: 4, .damage(.reset)),
        LastingFault(inSome: "a truncated body", seed: 5, .damage(.closeAfter(byteCount: 200))),
        LastingFault(inSome: "a proxy's page, 502", seed: 6, .refuse(.html(status: 502))),
        LastingFault(
            inSome: "a body at 256 kB a second", seed: 7, .linger(.drip(afterByteCount: 0, bytesPerSecond: 256_000))),
    ]

    private static let refusals = [
        LastingFault("503 SlowDown", .refuse(.slowDown)),
        LastingFault("500 InternalError", .refuse(.internalError)),
        LastingFault("429 TooManyRequests", .refuse(.tooManyRequests)),
        LastingFault("403 AccessDenied", .refuse(.accessDenied)),
        LastingFault(
            "A redirect to another address",
            .refuse(.redirect(status: 307, location: "http://127.0.0.1:1/", region: nil))),
        LastingFault(
            "A redirect to a region that redirects again",
            .refuse(.redirect(status: 301, location: "http://127.0.0.1:1/", region: "eu-west-1"))),
        LastingFault("A proxy's page, 502", .refuse(.html(status: 502))),
        LastingFault("A login page, 200", .damage(.html)),
    ]

    private static let broken = [
        LastingFault("Connections refused") { try $0.refuseConnections() },
        LastingFault("Connections closed before the response", .damage(.close)),
        LastingFault("Connections reset before the response", .damage(.reset)),
        LastingFault(
            "Connections reset in the middle of a body", gets: .damage(.resetAfter(byteCount: 300_000)),
            lists: .damage(.resetAfter(byteCount: 200))),
        LastingFault(
            "Connections closed in the middle of a body", gets: .damage(.closeAfter(byteCount: 300_000)),
            lists: .damage(.closeAfter(byteCount: 200))),
    ]

    private static let lies = [
        LastingFault(
            "Bodies shorter than requested", gets: .damage(.shorten(byteCount: 1_000)),
            lists: .damage(.shorten(byteCount: 200))),
        LastingFault("Bodies longer than requested", .damage(.lengthen(byteCount: 1_000))),
        LastingFault("Bodies longer than announced", .damage(.overrun(byteCount: 1_000))),
        LastingFault("A Content-Range other than requested", .damage(.contentRange("bytes 1-10/3145728"))),
        LastingFault("The whole object instead of a range, 200", .damage(.wholeObject)),
        LastingFault("Another ETag in the response", .damage(.etag("\"another\""))),
        LastingFault("The object overwritten during a read") { server in
            server.script(.gets, .mutate(.overwriteAfter(byteCount: 1_000, body: .pattern(seed: 9, byteCount: 2_000))))
            for key in FaultRun.coldKeys { server.put(key, .pattern(seed: 8, byteCount: 3 << 20)) }
        },
        LastingFault("Unsorted listings") { $0.listingOrder = .shuffled(seed: 5) },
        LastingFault("Malformed XML", .damage(.xml("<ListBucketResult><Contents><Key>a</Key></ListBucketResult>"))),
    ]

    private static let certificates = [
        LastingFault("A certificate of an unknown authority", .stranger),
        LastingFault("A certificate for another host", .otherName),
        LastingFault("An expired certificate", .expired),
    ]

    private static let floods = [
        LastingFault("Endless: a status line", .attack(.statusLine)),
        LastingFault("Endless: a header line", .attack(.headerLine)),
        LastingFault("Endless: headers", .attack(.headers)),
        LastingFault("Endless: interim responses (100 Continue)", .attack(.interimAnswers)),
        LastingFault("Endless: a body", .attack(.body)),
        LastingFault("Endless: the length of a chunk", .attack(.chunkLength)),
        LastingFault("Endless: trailers", .attack(.trailers)),
        LastingFault("Endless: an error document", .attack(.errorDocument)),
    ]
}
