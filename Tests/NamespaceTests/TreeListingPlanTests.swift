import ObjectStore
import Testing

@testable import Namespace

@Suite("Tree listing plan") struct TreeListingPlanTests {
    @Test(
        "a tree is listed completely, in parallel, with few requests more than its keys need",
        arguments: [(20, 45, 22), (3, 700, 5), (8, 1, 5_000), (1, 1, 20), (2, 2, 1), (1, 1, 30_000)])
    func listsEverything(subjects: Int, folders: Int, files: Int) {
        let keys = SimulatedKeys.study(subjects: subjects, folders: folders, files: files)
        var listing = SimulatedTreeListing(keys: keys)
        listing.run(below: "study/")
        #expect(listing.tree.knownEnd(from: "study/", below: "study/", visiting: .max) == nil)
        #expect(listing.keyCount == keys.count)
        #expect(listing.requestCount <= keys.count * 12 / 10_000 + 12)
        if files < 10_000 { #expect(listing.roundCount <= 15) }
    }

    @Test("subjects of the Human Connectome Project are listed in parallel")
    func listsConnectomes() {
        let keys = SimulatedKeys.connectomes(3)
        var listing = SimulatedTreeListing(keys: keys)
        listing.run(below: "HCP_1200/")
        #expect(listing.keyCount == keys.count)
        #expect(listing.requestCount <= keys.count * 12 / 10_000 + 20)
        #expect(listing.roundCount <= 40)
    }

    @Test func `only the unknown part of a tree is listed`() {
        let keys = SimulatedKeys.study(subjects: 20, folders: 45, files: 22)
        var listing = SimulatedTreeListing(keys: keys)
        listing.run(below: "study/sub-1007/")
        #expect(listing.requestCount == 1)
        listing.run(below: "study/")
        #expect((keys.count - 990...keys.count).contains(listing.keyCount))
        let count = listing.requestCount
        listing.run(below: "study/")
        #expect(listing.requestCount == count)
    }
}
