import Testing
import TestSupport

@Suite struct CorpusTests {
    @Test(arguments: FuzzTarget.all.map(\.name)) func `The fuzzers' corpora break nothing`(target: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == target })
        let inputs = try Corpus.inputs(of: target)
        #expect(!inputs.isEmpty, "there is no corpus in Tests/FuzzTests/Corpora/\(target.name)")
        for (name, bytes) in inputs {
            #expect(throws: Never.self, "\(target.name)/\(name)") { try target.check(bytes) }
        }
    }
}
