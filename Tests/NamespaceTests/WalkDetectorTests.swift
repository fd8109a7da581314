import ObjectStore
import Testing
import TestSupport

@testable import Namespace

@Suite("Walk detector") struct WalkDetectorTests {
    /// An order in which a program visits the subdirectories of a directory.
    enum Order: String, CaseIterable {
        /// The order of readdir, S3's (find, os.walk, du).
        case keys
        /// The order of a language (ls -R).
        case language
        /// An order unrelated to names (a program that sorts by inode number).
        case inodes
        /// The reverse order (a program with a stack of folders).
        case reversed

        func sort(_ names: [[UInt8]]) -> [[UInt8]] {
            switch self {
            case .keys: names
            case .reversed: names.reversed()
            case .language:
                names.sorted { spelling($0).lexicographicallyPrecedes(spelling($1)) }
            case .inodes:
                names.sorted { Inode.number(of: Key($0)) < Inode.number(of: Key($1)) }
            }
        }

        /// Returns only letters and digits, in lower case.
        private func spelling(_ name: [UInt8]) -> [UInt8] {
            Array(String(decoding: name, as: UTF8.self).lowercased().utf8.filter { $0 > UInt8(ascii: "/") })
        }
    }

    @Test(
        "a walk through a study of 20,000 files costs at most 40 requests, in any order of its folders",
        arguments: Order.allCases)
    func listsStudy(in order: Order) {
        var walk = SimulatedWalk(keys: SimulatedKeys.study(subjects: 20, folders: 45, files: 22))
        walk.run(walk.tree.depthFirst(from: "study/", sort: order.sort))
        #expect(walk.requestCount <= 40)
        #expect(walk.waitCount <= 20)
        #expect(walk.unvisitedCount == 0)
        #expect(walk.excess <= 0)
    }

    @Test(
        "a walk through subjects of the Human Connectome Project costs little more than its keys need",
        arguments: Order.allCases)
    func listsConnectomes(in order: Order) {
        var walk = SimulatedWalk(keys: SimulatedKeys.connectomes(3))
        walk.run(walk.tree.depthFirst(from: "HCP_1200/", sort: order.sort))
        // In a reverse walk, each page overlaps with the one requested before.
        let limit = walk.tree.keys.count * (order == .reversed ? 24 : 12) / 10_000 + 40
        #expect(walk.requestCount <= limit)
        #expect(walk.waitCount <= (order == .reversed ? 100 : 60))
        #expect(walk.excess <= 0)
    }

    @Test func `folders of different sizes in each subject are listed in parallel`() {
        var walk = SimulatedWalk(keys: SimulatedKeys.unevenStudy(subjects: 8))
        walk.run(walk.tree.depthFirst(from: "study/"))
        #expect(walk.requestCount <= walk.tree.keys.count * 12 / 10_000 + 20)
        #expect(walk.waitCount <= 34)
        #expect(walk.excess <= 0)
    }

    @Test func `predictions from a folder that others are nothing like cost few requests`() {
        var walk = SimulatedWalk(keys: SimulatedKeys.oneBigFolder(before: 300))
        walk.run(walk.tree.depthFirst(from: "study/"))
        #expect(walk.requestCount <= walk.tree.keys.count * 12 / 10_000 + 30)
        #expect(walk.excess <= 0)
    }

    /// The tree of the mount tests: each subject has exactly one page of keys.
    private func flatSubjects() -> SimulatedWalk {
        SimulatedWalk(
            keys: (0..<20).flatMap { subject in
                (0..<1_000).map { file in
                    let folder = file % 45
                    let path =
                        switch folder {
                        case 0..<5: "part-\(folder)"
                        case 5..<15: "part-\(folder % 5)/run-\(folder)"
                        default: "part-\(folder % 5)/run-\(5 + folder % 10)/sub-\(folder)"
                        }
                    return Key("\(100_000 + subject)/\(path)/file-\(file).nii.gz")
                }
            })
    }

    @Test(
        "a walk through subjects with one page of keys each costs little more than these need",
        arguments: Order.allCases)
    func listsFlatSubjects(in order: Order) {
        var walk = flatSubjects()
        walk.run(walk.tree.depthFirst(sort: order.sort))
        #expect(walk.requestCount <= (order == .reversed ? 70 : 40))
        #expect(walk.excess <= 0)
    }

    @Test("several walks of one tree, one behind the other, cost as much as one", arguments: [1, 3, 10, 60])
    func followsOneWalk(distance: Int) {
        var alone = flatSubjects()
        let acts = alone.tree.depthFirst()
        var several = alone
        alone.run(acts)
        var programs: [[WalkerAct]] = []
        for walker in 0..<8 {
            programs.append(Array(repeating: .read(""), count: walker * distance) + acts)
        }
        several.run(together: programs)
        #expect(several.requestCount <= alone.requestCount + 8)
        #expect(several.excess <= 0)
    }

    @Test("folders with few files share their pages", arguments: Order.allCases)
    func listsTinyFolders(in order: Order) {
        var walk = SimulatedWalk(keys: SimulatedKeys.tinyFolders(1_500, files: 5))
        walk.run(walk.tree.depthFirst(from: "many/", sort: order.sort))
        #expect(walk.requestCount <= 8 * 3 + 20)
        #expect(walk.excess <= 0)
    }

    @Test("folders with several pages each are listed in parallel", arguments: Order.allCases)
    func listsBigFolders(in order: Order) {
        var walk = SimulatedWalk(keys: SimulatedKeys.study(subjects: 10, folders: 1, files: 5_000))
        walk.run(walk.tree.depthFirst(from: "study/", sort: order.sort))
        #expect(walk.requestCount <= 50 * 12 / 10 + 40)
        // In a reverse walk, the segments of the next folder are the last that are requested.
        #expect(walk.waitCount <= (order == .reversed ? 35 : 30))
    }

    @Test func `a walk that stops leaves few unused pages, and causes no further request`() {
        let beginning = SimulatedWalk(keys: SimulatedKeys.study(subjects: 20, folders: 45, files: 22))
        let acts = beginning.tree.depthFirst(from: "study/")
        for share in 1...10 {
            var walk = beginning
            walk.run(Array(acts.prefix(acts.count * share / 10)))
            let used = walk.walks.accounts.reduce(0) { $0 + $1.usedCount }
            #expect(walk.unvisitedCount <= used / 10 + 32)
            #expect(walk.unvisitedCount <= 2 * used + 1, "too many pages for a walk that has just begun")
        }
    }

    @Test func `two programs that walk one tree together share its pages`() {
        var alone = SimulatedWalk(keys: SimulatedKeys.study(subjects: 20, folders: 45, files: 22))
        let acts = alone.tree.depthFirst(from: "study/")
        var both = alone
        alone.run(acts)
        both.run(together: [acts, acts])
        #expect(both.requestCount <= alone.requestCount + 2)
        var apart = SimulatedWalk(keys: SimulatedKeys.study(subjects: 20, folders: 45, files: 22))
        apart.run(together: [acts, Array(acts.prefix(1) + acts.suffix(460))])
        #expect(apart.requestCount <= 80)
        #expect(apart.excess <= 0)
    }

    @Test func `a second walk causes no request`() {
        var walk = SimulatedWalk(keys: SimulatedKeys.study(subjects: 20, folders: 45, files: 22))
        let acts = walk.tree.depthFirst(from: "study/")
        walk.run(acts)
        let count = walk.requestCount
        walk.run(acts)
        #expect(walk.requestCount == count)
    }

    @Test func `reading one folder or following a path prefetches nothing`() {
        var walk = SimulatedWalk(keys: SimulatedKeys.study(subjects: 20, folders: 45, files: 22))
        walk.run([.read("study/"), .read("study/sub-1000/"), .read("study/sub-1000/run-100/")])
        walk.run([.read("study/sub-1000/run-100/"), .read("study/sub-1000/"), .read("study/")])
        walk.run([.lookup("study/"), .lookup("study/sub-1007/"), .lookup("study/sub-1007/run-110/")])
        #expect(walk.prefetchCount == 0)
    }

    @Test("random reads prefetch next to nothing", arguments: 0..<10)
    func listsLittleForRandomReads(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var walk = SimulatedWalk(keys: SimulatedKeys.study(subjects: 50, folders: 10, files: 5))
        let directories = walk.tree.folders.keys.sorted()
        for _ in 0..<40 {
            guard let directory = directories.randomElement(using: &random) else { return }
            walk.run([Bool.random(using: &random) ? .read(directory) : .lookup(directory)])
        }
        #expect(walk.prefetchCount <= 5, "seed \(seed)")
    }

    @Test(
        "a folder that is read in each subject is prefetched in the next ones, and nothing else is",
        arguments: ["", "run-104/"])
    func listsLevel(relative: String) {
        var walk = SimulatedWalk(keys: SimulatedKeys.study(subjects: 200, folders: 45, files: 2))
        var acts: [WalkerAct] = [.read("study/")]
        for subject in 1_000..<1_200 {
            if !relative.isEmpty { acts.append(.lookup(Key("study/sub-\(subject)/\(relative)"))) }
            acts.append(.read(Key("study/sub-\(subject)/\(relative)")))
        }
        walk.run(acts)
        #expect(walk.requestCount <= 200 + 10)
        #expect(walk.waitCount <= 30)
    }

    @Test func `a loop that looks up the same path in each subject waits for few responses`() {
        var walk = SimulatedWalk(keys: SimulatedKeys.study(subjects: 200, folders: 45, files: 2))
        var acts: [WalkerAct] = [.lookup("study/")]
        for subject in 1_000..<1_200 {
            acts += ["", "run-104/", "run-104/f1000.nii.gz"].map { .lookup(Key("study/sub-\(subject)/" + $0)) }
        }
        walk.run(acts)
        #expect(walk.requestCount <= 200 + 20)
        #expect(walk.waitCount <= 40)
    }

    @Test func `a glob walk that stops leaves few unused listings`() {
        var walk = SimulatedWalk(keys: SimulatedKeys.study(subjects: 200, folders: 45, files: 2))
        let acts = (1_000..<1_010).map { WalkerAct.read(Key("study/sub-\($0)/")) }
        walk.run([.read("study/")] + acts)
        #expect(walk.requestCount <= 11 + 2 * 10)
    }

    @Test func `a walk that skips some folders is still recognized`() {
        var walk = SimulatedWalk(keys: SimulatedKeys.study(subjects: 20, folders: 45, files: 22))
        let acts = walk.tree.depthFirst(from: "study/").filter { act in
            guard case .read(let directory) = act else { return true }
            return !directory.description.hasSuffix("run-120/")
        }
        walk.run(acts)
        #expect(walk.requestCount <= 50)
        #expect(walk.excess <= 0)
    }

    @Test func `reads by another program don't disturb a walk`() {
        var walk = SimulatedWalk(keys: SimulatedKeys.study(subjects: 20, folders: 45, files: 22))
        let acts = walk.tree.depthFirst(from: "study/")
        for (index, act) in acts.enumerated() {
            walk.run([act])
            if index % 50 == 49 { walk.run([.read("study/sub-1019/")]) }
        }
        #expect(walk.requestCount <= 50)
    }

    @Test func `a failed prefetch costs one more request, and the walk goes on`() {
        var walk = SimulatedWalk(keys: SimulatedKeys.study(subjects: 20, folders: 45, files: 22))
        walk.failingEvery = 3
        walk.run(walk.tree.depthFirst(from: "study/"))
        #expect(walk.requestCount <= 120)
        #expect(walk.excess <= 0)
    }

    @Test func `little memory keeps the prefetches of a walk few`() {
        var walk = SimulatedWalk(keys: SimulatedKeys.study(subjects: 20, folders: 45, files: 22))
        walk.walks = WalkDetector(unvisitedCountMax: 3)
        for act in walk.tree.depthFirst(from: "study/") {
            walk.run([act])
            #expect(walk.unvisitedCount <= 3)
        }
        #expect(walk.requestCount <= 60)
    }

    @Test(
        "a page requested from a key on covers that key, and few before it",
        arguments: [
            ("s2/", "s2.\u{10ffff}"), ("s10", "s1/\u{10ffff}"), ("a\u{0}", "a"), ("é/", "é.\u{10ffff}"),
            ("aé", "`\u{10ffff}"),
            ("", ""),
        ])
    func startsAfter(key: Key, expected: Key) {
        #expect(key.startAfter == expected)
        #expect(key.startAfter <= key)
    }

    @Test func `a template replaces its directory's name by the sibling's`() {
        let template = SiblingTemplate(
            name: Array("100307".utf8),
            marks: ["", "T1w/100307/label/x", "T1w/100307/surf/100307.L"].map { Array($0.utf8) })
        #expect(template.key(behind: 60, in: Array("100408".utf8)) == Array("T1w/100408/label/x".utf8))
        #expect(template.keyCount(before: "T1w/100408/surf/a".utf8, in: Array("100408".utf8)) == 150)
        #expect(template.key(behind: 150, in: Array("100408".utf8)) == nil)
    }
}
