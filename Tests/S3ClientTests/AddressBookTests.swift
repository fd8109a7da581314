import Glibc
import Synchronization
import TestSupport
import Testing

@testable import S3Client

/// A simulation of the times at which a name server responds.
@Suite("Addresses of a host") struct AddressBookTests {
    private let host = "store.example.org"
    private let start = ContinuousClock.now
    private struct Look: Equatable {
        let answer: AddressBook.Answer
        let isDue: Bool

        init(_ answer: AddressBook.Answer, isDue: Bool) {
            self.answer = answer
            self.isDue = isDue
        }
    }

    private func expect(
        _ expected: Look, at now: ContinuousClock.Instant, _ book: inout AddressBook,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let found = look(&book, at: now)
        #expect(found == expected, sourceLocation: sourceLocation)
    }

    private func look(_ book: inout AddressBook, at now: ContinuousClock.Instant) -> Look {
        let (answer, isDue) = book.look(up: host, now: now)
        return Look(answer, isDue: isDue)
    }

    private let silence = LookupFailure(isNameUnknown: false, message: "no name server answers")

    @Test func `a host's addresses are looked up once, however many requests wait for them`() {
        var book = AddressBook()
        expect(Look(.pending, isDue: true), at: start, &book)
        for _ in 0..<3 {
            expect(Look(.pending, isDue: false), at: start + .seconds(20), &book)
        }
        book.note(.success(["10.0.0.1"]), of: host, now: start + .seconds(20))
        expect(Look(.known(["10.0.0.1"]), isDue: false), at: start + .seconds(21), &book)
    }

    @Test func `addresses are used for a minute, and then until a new lookup has ended`() {
        var book = AddressBook()
        _ = look(&book, at: start)
        book.note(.success(["10.0.0.1"]), of: host, now: start)
        expect(Look(.known(["10.0.0.1"]), isDue: false), at: start + .seconds(59), &book)
        expect(Look(.known(["10.0.0.1"]), isDue: true), at: start + .seconds(60), &book)
        expect(Look(.known(["10.0.0.1"]), isDue: false), at: start + .seconds(65), &book)
        book.note(.success(["10.0.0.2"]), of: host, now: start + .seconds(65))
        expect(Look(.known(["10.0.0.2"]), isDue: false), at: start + .seconds(66), &book)
    }

    @Test func `addresses are used for hours while lookups fail and are retried`() {
        var book = AddressBook()
        _ = look(&book, at: start)
        book.note(.success(["10.0.0.1"]), of: host, now: start)
        for hour in 1...5 {
            let now = start + .seconds(hour * 3_600)
            // Old addresses wait for the first lookup, since the network may have changed.
            expect(Look(hour == 1 ? .pending : .known(["10.0.0.1"]), isDue: true), at: now, &book)
            book.note(.failure(silence), of: host, now: now + .seconds(10))
            expect(Look(.known(["10.0.0.1"]), isDue: false), at: now + .milliseconds(10_500), &book)
        }
    }

    @Test func `unknown addresses are looked up again once a second`() {
        var book = AddressBook()
        _ = look(&book, at: start)
        book.note(.failure(silence), of: host, now: start)
        expect(Look(.failed(silence), isDue: false), at: start + .milliseconds(900), &book)
        expect(Look(.pending, isDue: true), at: start + .seconds(1), &book)
    }

    @Test func `addresses are looked up again after a failed connection, and used meanwhile`() {
        var book = AddressBook()
        _ = look(&book, at: start)
        book.note(.success(["10.0.0.1"]), of: host, now: start)
        book.noteUnreachable(host)
        expect(Look(.known(["10.0.0.1"]), isDue: false), at: start + .milliseconds(100), &book)
        expect(Look(.known(["10.0.0.1"]), isDue: true), at: start + .seconds(4), &book)
    }

    @Test func `a slow name server delays no lookup of another host`() throws {
        let isOver = Atomic<Bool>(false)
        defer { isOver.store(true, ordering: .relaxed) }
        let resolver = HostResolver { host in
            while host == "slow", !isOver.load(ordering: .relaxed) { usleep(1_000) }
            return .success(["10.0.0.1"])
        }
        #expect(resolver.addresses(of: "slow") == .pending)
        try eventually("the address of the other") { resolver.addresses(of: "fast") == .known(["10.0.0.1"]) }
        #expect(resolver.addresses(of: "slow") == .pending)
    }
}
