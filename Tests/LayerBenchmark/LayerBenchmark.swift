// What each layer below the mount brings by itself, for `scripts/bench --layers`: run by hand, it wants an optimised
// build.
//
//   LayerBenchmark client ENDPOINT-URL BUCKET KEY BYTE-COUNT ETAG
//   LayerBenchmark reader
//   LayerBenchmark listing
//
// One line a measurement, its fields separated by tabs: what was measured, bytes (entries, for the listing), seconds,
// CPU seconds. For the listing's memory: entries, bytes.

import Glibc
import ObjectStore
import S3Client

@main
struct LayerBenchmark {
    static func main() {
        do {
            try measure(Array(CommandLine.arguments.dropFirst()))
        } catch {
            print("LayerBenchmark: \(error)")
            exit(1)
        }
    }

    private static func measure(_ arguments: [String]) throws {
        switch arguments.first {
        case "client" where arguments.count == 6:
            guard let byteCount = Int(arguments[4]) else { throw UsageError() }
            let object = ObjectVersion(key: Key(arguments[3]), etag: ETag("\"\(arguments[5])\""), byteCount: byteCount)
            let endpoint = try S3Endpoint(parsing: arguments[1])
            let configuration = S3Configuration(bucket: arguments[2], endpoint: endpoint, addressingStyle: .path)
            try ClientLayer(configuration, object).measure()
        case "reader" where arguments.count == 1:
            try ReaderLayer().measure()
        case "listing" where arguments.count == 1:
            try ListingLayer().measure()
        default:
            throw UsageError()
        }
    }
}

/// The arguments are not those that the file's beginning names.
private struct UsageError: Error, CustomStringConvertible {
    let description =
        "usage: LayerBenchmark client ENDPOINT-URL BUCKET KEY BYTE-COUNT ETAG | LayerBenchmark reader | LayerBenchmark listing"
}
