import ObjectStore
import Testing

@testable import Namespace

@Suite("TreeListingPlan") struct TreeListingPlanTests {
    @Test(
        "a sweep lists everything, side by side, with little more requests than the keys need",
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

    @Test("a sweep of subjects of the Human Connectome Project is wide", .enabled(if: SimulatedKeys.hasManifest))
    func listsConnectomes() throws {
        let keys = try SimulatedKeys.connectomes(3)
        var listing = SimulatedTreeListing(keys: keys)
        listing.run(below: "HCP_1200/")
        #expect(listing.keyCount == keys.count)
        #expect(listing.requestCount <= keys.count * 12 / 10_000 + 20)
        #expect(listing.roundCount <= 40)
    }

    @Test func `a sweep asks for what is not known yet, and for nothing where all is`() {
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
