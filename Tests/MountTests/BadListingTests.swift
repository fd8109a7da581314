import ObjectStore
import Synchronization
import TestSupport
import Testing

/// Walks of a store that lists slowly, wrongly or not at all: they find everything or fail, and never miss entries
/// silently.
@Suite(.serialized, mounts) struct BadListingTests {
    /// A fault of the server, and its name for output.
    struct Trouble: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let action: S3Action

        init(_ name: String, _ action: S3Action) {
            testDescription = name
            self.action = action
        }
    }

    /// All faults except the one that a client cannot detect.
    private static let faults = ListingFault.allCases.filter { $0 != .deniesMore }
        .map { Trouble("\($0)", .misList($0)) }
    private static let troubles =
        faults + [
            Trouble("slow pages", .linger(.delay(.milliseconds(50)))),
            Trouble("a connection closed in the head of a page", .damage(.close)),
            Trouble("a connection reset", .damage(.reset)),
            Trouble("a connection closed in the middle of a page", .damage(.closeAfter(byteCount: 700))),
            Trouble("XML that ends in the middle of a page", .damage(.shorten(byteCount: 700))),
            Trouble("a page of a proxy", .damage(.html)),
            Trouble("503", .refuse(.slowDown)),
            Trouble("500", .refuse(.internalError)),
            Trouble("403", .refuse(.accessDenied)),
        ]
    /// A tree without names that tools would quote in messages.
    private static let tree = WalkTree.subjects(2)
    /// The tools that report all errors in their output and their exit status.
    private static let tools = ["find-size", "ls-R", "du-a", "os-walk", "stack"]

    /// A faulty listing, one that breaks off, and one that is refused.
    private static let troublesOfOneFolder = troubles.filter {
        ["reorders", "losesToken", "XML that ends in the middle of a page", "500", "403"].contains($0.testDescription)
    }

    /// The number of concurrent mounts. They wait most of the time.
    private static let mountCountMax = 4

    /// Runs a mount for each fault, in which failed listings fail soon.
    private func withServerAndMount(
        for troubles: [Trouble], _ body: @escaping @Sendable (Trouble, S3TestServer, WalkTools, String) throws -> Void
    ) throws {
        let next = Atomic(0)
        try inParallel(Self.mountCountMax) { _ in
            while case let index = next.add(1, ordering: .relaxed).oldValue, index < troubles.count {
                let trouble = troubles[index]
                try withS3TestServer(pageLimit: 100) { server in
                    Self.tree.put(into: server)
                    try WalkTools.with(Self.tree, situation: "\(trouble.testDescription):") { tools in
                        try withMount(of: server, options: ["--read-timeout", "1s", "--log-level", "error"]) {
                            try body(trouble, server, tools, $0)
                        }
                    }
                }
            }
        }
    }

    @Test
    func `With faults in half of all listing pages, a walk is complete or fails, and later walks are complete`()
        throws
    {
        let seed = UInt64.random(in: 0...(.max))
        print("seed \(seed)")
        try withServerAndMount(for: Self.troubles) { trouble, server, tools, mountPoint in
            server.script(.lists.half(seed: seed), trouble.action)
            try tools.expectExactOrFailed("find-size", at: mountPoint)
            try inParallel(Self.tools.count) { try tools.expectExactOrFailed(Self.tools[$0], at: mountPoint) }
            server.clearScripts()
            try inParallel(Self.tools.count) { try tools.expectExactSoon(Self.tools[$0], at: mountPoint) }
        }
    }

    @Test func `With faults in all pages of one folder, other folders are complete, and it is later`() throws {
        let folder = "100307/MNINonLinear/Results"
        try withServerAndMount(for: Self.troublesOfOneFolder) { trouble, server, tools, mountPoint in
            server.script(.below(Key(folder + "/")), trouble.action)
            for tool in ["find-size", "os-walk"] {
                try tools.expectExactOrFailed(tool, at: mountPoint, below: folder)
            }
            server.clearScripts()
            try tools.expectExactSoon("find-size", at: mountPoint)
        }
    }

    @Test(arguments: ["503", "a connection reset", "a connection closed in the middle of a page"])
    func `A store that refuses every second request is walked without an error`(name: String) throws {
        let trouble = try #require(Self.troubles.first { $0.testDescription == name })
        let tree = WalkTree.oddities(below: "")
        try withS3TestServer(pageLimit: 100) { server in
            tree.put(into: server)
            server.script(.lists.half(seed: 7), trouble.action, skipping: 2)
            try WalkTools.with(tree) { tools in
                // The default time of a request, for all its attempts.
                try withMount(of: server) { try tools.expectExact("find-size", at: $0) }
            }
        }
    }
}
