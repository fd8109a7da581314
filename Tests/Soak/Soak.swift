// The program behind scripts/soak: a mount under all disturbances at once, for a number of minutes. It needs an
// optimized build, and tractfs beside it.
//
//   Soak MINUTES [SEED]
//   Soak map PATH OFFSET BYTE-COUNT SEED:BYTE-COUNT...      (reads mapped files for the soak itself)

import Foundation
import TestSupport

@main
struct Soak {
    static func main() {
        do {
            let arguments = Array(CommandLine.arguments.dropFirst())
            if arguments.first == "map" { exit(try MappedPiece(arguments.dropFirst()).check().rawValue) }
            exit(try run(arguments) ? 0 : 1)
        } catch {
            tell("\(error)")
            exit(2)
        }
    }

    private static func run(_ arguments: [String]) throws -> Bool {
        guard (1...2).contains(arguments.count), let minutes = Double(arguments[0]), minutes > 0,
            let seed = arguments.count == 2 ? UInt64(arguments[1]) : .random(in: 0..<1 << 32)
        else { throw UsageError() }
        tell("\(arguments[0]) minutes, seed \(seed)")
        return try withTemporaryDirectory { directory in
            try withS3TestServer { server in
                try SoakRun(server: server, directory: directory, duration: .seconds(minutes * 60), seed: seed).run()
            }
        }
    }
}

/// Prints a line without buffering, since a soak takes long and a user may be watching.
func tell(_ line: String) {
    print("soak: \(line)")
    fflush(nil)
}

/// Wrong arguments; the usage is at the beginning of this file.
struct UsageError: Error, CustomStringConvertible {
    let description = "usage: Soak MINUTES [SEED] | Soak map PATH OFFSET BYTE-COUNT SEED:BYTE-COUNT..."
}
