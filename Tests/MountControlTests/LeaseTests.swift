import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import MountControl

/// Values that callers hold by token.
@Suite("Leases") struct LeaseTests {
    private let start = ContinuousClock.now

    @Test func `a lease ends when it is not renewed in time, and each renewal extends it`() throws {
        var leases = Leases<String>(countMax: 2, duration: .seconds(5))
        let reserved = leases.reserve()
        let token = try #require(reserved)
        leases.set("report", for: token, at: start)
        for second in [4, 8, 12] {
            let value = leases.renew(token, at: start + .seconds(second))
            #expect(value == "report")
        }
        #expect(leases.nextEnd == start + .seconds(17))
        var expired = leases.removeExpired(at: start + .seconds(16))
        #expect(expired.isEmpty)
        let late = leases.renew(token, at: start + .seconds(17))
        expired = leases.removeExpired(at: start + .seconds(17))
        #expect(late == nil && expired == ["report"] && leases.isEmpty && leases.nextEnd == nil)
    }

    @Test func `there are no more leases than the limit, those included whose value is being made`() throws {
        var leases = Leases<Int>(countMax: 2, duration: .seconds(5))
        let tokens = (0..<3).map { _ in leases.reserve() }
        let first = try #require(tokens[0])
        #expect(tokens[1] != nil && tokens[1] != first && tokens[2] == nil)
        // A reservation has no end, and no value.
        let expired = leases.removeExpired(at: start + .seconds(1_000))
        let value = leases.renew(first, at: start)
        #expect(expired.isEmpty && value == nil)
        leases.set(1, for: first, at: start)
        leases.remove(first)
        let removed = leases.renew(first, at: start)
        let others = (0..<2).map { _ in leases.reserve() }
        #expect(removed == nil && others[0] != nil && others[1] == nil)
    }

    @Test func `a lease table reports each lease that has ended, and takes new ones afterwards`() throws {
        let ended = Mutex<[Int]>([])
        let table = LeaseTable<Int>(countMax: 2, duration: .milliseconds(1)) { value in
            ended.withLock { $0.append(value) }
        }
        for round in 0..<3 {
            _ = try table.insert { round }
            try eventually("the end of the lease") { ended.withLock { $0 } == Array(0...round) }
        }
    }

    @Test func `a table with as many values as it may have refuses another one, but not for one that failed`() throws {
        let table = LeaseTable<Int>(countMax: 1, duration: .seconds(1_000))
        #expect(throws: Errno.notDirectory) { try table.insert { () throws(Errno) -> Int in throw .notDirectory } }
        let token = try table.insert { 1 }
        #expect(throws: Errno.resourceBusy) { try table.insert { 2 } }
        #expect(try table.renew(token) == 1)
        table.remove(token)
        #expect(throws: Errno.noData) { try table.renew(token) }
        _ = try table.insert { 2 }
    }
}
