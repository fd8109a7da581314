import Foundation
import ObjectStore
import Synchronization
import SystemSupport
import TestSupport

/// The bucket and its history, so that readers know the bytes that can be right.
final class SoakBucket: Sendable {
    /// The content of a key during a period.
    private struct Version {
        /// The earliest time at which it may have been visible.
        let since: ContinuousClock.Instant
        /// The latest time at which it may have been visible; `nil` for the present content.
        var until: ContinuousClock.Instant?
        /// `nil` if there was no such object.
        let body: ObjectBody?
    }

    private struct State {
        var histories: [Key: [Version]] = [:]
        var generator: SeededGenerator
    }

    private let server: S3TestServer
    private let state: Mutex<State>
    /// The keys that exist during the whole run, including those whose objects are overwritten.
    let permanentKeys: [Key]
    /// Pairs of keys; an object moves back and forth between the two.
    let movingKeys: [(Key, Key)]

    /// The number of folders, and the number and largest size of the files in each.
    private static let folderCount = 40
    private static let byteCountMaxima = [1, 300, 5_000, 5_000, 60_000, 200_000, 3_000_000, 9_000_000]
    private static let largeByteCount = 80 << 20

    init(server: S3TestServer, seed: UInt64) {
        self.server = server
        var generator = SeededGenerator(seed: seed)
        var bodies: [Key: ObjectBody] = [:]
        for folder in 0..<Self.folderCount {
            for (index, limit) in Self.byteCountMaxima.enumerated() {
                bodies[Key("sub-\(folder)/func/run-\(index).nii.gz")] = Self.body(upTo: limit, &generator)
            }
        }
        for index in 0..<3 {
            bodies[Key("large/part-\(index)")] = .pattern(seed: generator.next(), byteCount: Self.largeByteCount)
        }
        permanentKeys = bodies.keys.sorted()
        movingKeys = (0..<Self.folderCount).map { (Key("sub-\($0)/anat/T1w.nii"), Key("sub-\($0)/anat/T1w_old.nii")) }
        for (key, _) in movingKeys { bodies[key] = Self.body(upTo: 400_000, &generator) }
        state = Mutex(State(generator: generator))
        server.change { $0.put(bodies) }
        let now = ContinuousClock.now
        state.withLock { state in
            for (key, body) in bodies { state.histories[key] = [Version(since: now, until: nil, body: body)] }
            for (_, other) in movingKeys { state.histories[other] = [Version(since: now, until: nil, body: nil)] }
        }
    }

    private static func body(upTo limit: Int, _ generator: inout SeededGenerator) -> ObjectBody {
        .pattern(seed: generator.next(), byteCount: Int.random(in: 1...limit, using: &generator))
    }

    /// All keys that ever exist.
    var allKeys: [Key] { permanentKeys + movingKeys.flatMap { [$0.0, $0.1] } }

    /// Returns the possible contents of a key for a read between these instants.
    func bodies(of key: Key, from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) -> [ObjectBody?] {
        let history = state.withLock { $0.histories[key] ?? [] }
        return history.filter { $0.since <= end && ($0.until ?? end) >= start }.map(\.body)
    }

    // MARK: Changes

    /// Overwrites an object, half of the time with the same size.
    func overwrite() {
        change { state in
            let key = permanentKeys.randomElement(using: &state.generator) ?? permanentKeys[0]
            guard let old = state.histories[key]?.last?.body else { return [] }
            let keepsSize = Bool.random(using: &state.generator) || old.byteCount == Self.largeByteCount
            let byteCount = keepsSize ? old.byteCount : Int.random(in: 1...200_000, using: &state.generator)
            return [(key, .pattern(seed: state.generator.next(), byteCount: byteCount))]
        }
    }

    /// Moves an object to the other of its two keys.
    func move() {
        change { state in
            let pair = movingKeys.randomElement(using: &state.generator) ?? movingKeys[0]
            let isBack = state.histories[pair.0]?.last?.body == nil
            let (old, new) = isBack ? (pair.1, pair.0) : pair
            return [(new, state.histories[old]?.last?.body), (old, nil)]
        }
    }

    /// Makes a change. Both the old and the new content are right while it is being made.
    private func change(_ decide: (inout State) -> [(Key, ObjectBody?)]) {
        state.withLock { state in
            let start = ContinuousClock.now
            let changes = decide(&state)
            server.change { contents in
                for (key, body) in changes {
                    guard let body else { contents.delete(key); continue }
                    contents.put(key, body, lastModified: Timestamp(seconds: time(nil)))
                }
            }
            let end = ContinuousClock.now
            for (key, body) in changes {
                guard var history = state.histories[key], let last = history.indices.last else { continue }
                history[last].until = end
                state.histories[key] = history + [Version(since: start, until: nil, body: body)]
            }
        }
    }
}
