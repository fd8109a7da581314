import Foundation
import Synchronization
import TestSupport

/// The disturbances of the store during reads: one fault after the other, with pauses.
final class Disturbances: Sendable {
    /// A kind of fault.
    private enum Trouble: CaseIterable {
        case silence, resets, slowDowns, oneInFive, truncations, latency, rotation, revocation

        /// `true` if users may see errors during the fault. All other faults must be hidden from them.
        var maySurface: Bool {
            switch self {
            case .silence, .resets, .slowDowns, .truncations, .revocation: true
            case .oneInFive, .latency, .rotation: false
            }
        }
    }

    private struct State {
        var generator: SeededGenerator
        /// The periods in which errors are expected; the end of the last one may be in the future.
        var spells: [Range<ContinuousClock.Instant>] = []
        var counts: [String: Int] = [:]
        var keyNumber = 1
    }

    private let server: S3TestServer
    private let keyFile: String
    private let state: Mutex<State>

    /// The time after a fault in which users may still see errors: reads that began during the fault have a deadline,
    /// and refused credentials are retried after a delay.
    private static let aftermath: Duration = .seconds(10)

    init(server: S3TestServer, keyFile: String, seed: UInt64) {
        self.server = server
        self.keyFile = keyFile
        state = Mutex(State(generator: SeededGenerator(seed: seed)))
    }

    /// The number of faults of each kind.
    var counts: [String: Int] { state.withLock { $0.counts } }

    /// Returns `true` if a fault explains an error between these instants.
    func explain(from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) -> Bool {
        state.withLock { $0.spells.contains { $0.overlaps(start..<max(end, start + .nanoseconds(1))) } }
    }

    /// Writes the access key that the store accepts at first into the credentials file.
    func prepare() throws {
        server.require(accessKeyID: "AKIASOAK1")
        try writeKey("AKIASOAK1")
    }

    /// Causes one fault, with pauses before and after.
    func makeTrouble() throws {
        let (trouble, pause, duration) = state.withLock { state in
            (
                Trouble.allCases.randomElement(using: &state.generator) ?? .silence,
                Duration.seconds(Double.random(in: 3...12, using: &state.generator)),
                Duration.seconds(Double.random(in: 1...15, using: &state.generator))
            )
        }
        sleep(pause)
        let end = ContinuousClock.now + duration
        state.withLock { state in
            state.counts["\(trouble)", default: 0] += 1
            if trouble.maySurface { state.spells.append(.now..<end + Self.aftermath + .seconds(1)) }
        }
        try begin(trouble)
        sleep(duration)
        server.clearScripts()
        server.setLatency(.zero)
        if trouble == .revocation { server.require(accessKeyID: keyID) }
    }

    private func begin(_ trouble: Trouble) throws {
        switch trouble {
        case .silence: server.script(.any, .linger(.stall))
        case .resets: server.script(.any, .damage(.reset))
        case .slowDowns: server.script(.any, .refuse(.slowDown))
        // Few enough that no request fails until its deadline.
        case .oneInFive: server.script(.any.some(0.2, seed: 1), .refuse(.internalError))
        case .truncations: server.script(.gets, .damage(.closeAfter(byteCount: 1_000)))
        case .latency: server.setLatency(.milliseconds(300))
        case .rotation: try rotateKeys()
        case .revocation: server.require(accessKeyID: "AKIANOBODY")
        }
    }

    private var keyID: String { state.withLock { "AKIASOAK\($0.keyNumber)" } }

    /// The old pair of keys is invalid at once, and the new one is available half a second later.
    private func rotateKeys() throws {
        state.withLock { $0.keyNumber += 1 }
        server.require(accessKeyID: keyID)
        usleep(500_000)
        try writeKey(keyID)
    }

    private func writeKey(_ id: String) throws {
        try "[default]\naws_access_key_id = \(id)\naws_secret_access_key = soakSecret\n"
            .write(toFile: keyFile, atomically: true, encoding: .utf8)
    }
}

/// Sleeps, on a thread without other work.
func sleep(_ duration: Duration) {
    usleep(UInt32(duration / .microseconds(1)))
}
