import Foundation
import TestSupport
import Testing

@Suite struct MessagesPageTests {
    /// Messages that reach no user, or only a developer who looks into a broken program.
    private static let internals: Set = [
        "the listing was canceled", "the store's client was shut down", "… is no longer wanted",
        "the store doesn't list in order",
        "the mounted /dev/fuse was not handed on",
        "a serving process needs a supervisor", "there is nothing to take over",
        "the supervising process ended before the mount answered", "process … has taken over after … ms",
        // A piece of others.
        "…. Did you mean '…'?", "what answers at … is no S3 store (HTTP …)",
    ]

    @Test func `Each message that users may meet is in docs/TROUBLESHOOTING.md, word by word`() throws {
        let page = try String(contentsOfFile: packageRoot + "/docs/TROUBLESHOOTING.md", encoding: .utf8)
        let messages = try SourceMessages.all()
        #expect(messages.count > 200, "the sources are no longer written as this looks at them")
        for (message, path) in messages.sorted(by: { $0.key < $1.key }) where !Self.internals.contains(message) {
            #expect(
                page.contains("`\(message)`"),
                "\(path): put - `\(message)` into docs/TROUBLESHOOTING.md, with what a user can do; or, if no user can meet it, into internals here"
            )
        }
        for message in Self.internals {
            #expect(messages[message] != nil, "there is no such message any more: \(message)")
        }
    }

    @Test func `docs/TROUBLESHOOTING.md has no message that the sources do not have`() throws {
        let page = try String(contentsOfFile: packageRoot + "/docs/TROUBLESHOOTING.md", encoding: .utf8)
        let messages = try SourceMessages.all()
        let sources = try SourceMessages.sources().values.joined(separator: "\n")
        let list = page.components(separatedBy: "## Every message, by its words").last ?? ""
        for line in list.split(separator: "\n") {
            guard let shown = line.wholeMatch(of: /- (``?)(.*?)\1(?:: .*)?/) else { continue }
            let message = String(shown.output.2)
            // What is put together from pieces is not found as a whole.
            let piece = message.split(separator: "…").max { $0.count < $1.count } ?? ""
            #expect(
                messages[message] != nil || sources.contains(piece.trimmingCharacters(in: .whitespaces)),
                "no source has: \(message)")
        }
    }
}
