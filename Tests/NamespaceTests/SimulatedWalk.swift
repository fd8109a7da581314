import ObjectStore
import Testing

@testable import Namespace

/// An operation of a program that may be part of a walk.
enum WalkerAct: Equatable {
    /// Reads the entries of a directory.
    case read(Key)
    /// Looks up a directory with this prefix in its parent.
    case lookup(Key)
}

/// Runs programs on a simulated tree with a simulated store in simulated time, and counts requests.
struct SimulatedWalk {
    /// Milliseconds from a request to its response.
    private static let latency = 20.0
    /// Milliseconds that a program spends on a directory.
    private static let pace = 0.1

    private struct InFlight {
        let prefetch: PrefetchRequest
        let time: Double
    }

    var tree: SimulatedTree
    var walks = WalkDetector()
    private var inFlight: [InFlight] = []
    /// Requests that a program waited for.
    private(set) var demandCount = 0
    /// Prefetches.
    private(set) var prefetchCount = 0
    /// Every so many-th prefetch fails.
    var failingEvery: Int?
    /// The number of times that a program waited for a response.
    private(set) var waitCount = 0
    /// The most unused pages beyond the allowed number.
    private(set) var excess = 0
    private(set) var now = 0.0

    init(keys: [Key]) {
        tree = SimulatedTree(keys: keys)
    }

    var requestCount: Int { demandCount + prefetchCount }

    /// Requested pages that no program has used.
    var unvisitedCount: Int { walks.accounts.reduce(0) { $0 + $1.unvisitedCount } }

    /// Runs one program.
    mutating func run(_ acts: [WalkerAct]) {
        for act in acts { perform(act) }
    }

    /// Runs several programs in turns.
    mutating func run(together programs: [[WalkerAct]]) {
        for index in 0..<(programs.map(\.count).max() ?? 0) {
            for acts in programs where index < acts.count { perform(acts[index]) }
        }
    }

    private mutating func perform(_ act: WalkerAct) {
        deliver(until: now)
        switch act {
        case .read(let directory):
            send(walks.noteRead(directory, wasKnown: tree.isListed(directory), in: tree))
            var hasWaited = false
            while let missing = tree.missing(in: directory) {
                if !hasWaited, let page = inFlight.first(where: { $0.prefetch.expected.contains(missing) }) {
                    hasWaited = true
                    waitCount += 1
                    deliver(until: max(now, page.time))
                } else {
                    demand(directory)
                }
            }
        case .lookup(let name):
            guard let directory = name.parentPrefix, !tree.isListed(directory), !tree.isListed(name) else { break }
            send(walks.noteMiss(directory, in: tree))
            if let page = inFlight.first(where: { $0.prefetch.expected.contains(name) }) {
                waitCount += 1
                deliver(until: max(now, page.time))
            }
            if !tree.isListed(directory) && !tree.isListed(name) { demand(directory) }
        }
        now += SimulatedWalk.pace
        check()
    }

    private mutating func demand(_ directory: Key) {
        let folder = tree.folders[directory] ?? SimulatedTree.Folder()
        let pageCount = max(1, (folder.fileCount + folder.subdirectories.count + 999) / 1_000)
        demandCount += pageCount
        waitCount += pageCount
        deliver(until: now + Double(pageCount) * SimulatedWalk.latency)
        tree.absorbListing(of: directory)
    }

    private mutating func send(_ requests: [PrefetchRequest]) {
        for prefetch in requests {
            prefetchCount += 1
            inFlight.append(InFlight(prefetch: prefetch, time: now + SimulatedWalk.latency))
        }
    }

    /// Advances the time, and delivers responses.
    private mutating func deliver(until time: Double) {
        while let next = inFlight.indices.min(by: { inFlight[$0].time < inFlight[$1].time }),
            inFlight[next].time <= time
        {
            let page = inFlight.remove(at: next)
            now = max(now, page.time)
            arrive(page.prefetch)
            check()
        }
        now = max(now, time)
    }

    private mutating func arrive(_ prefetch: PrefetchRequest) {
        if let failingEvery, prefetchCount % failingEvery == 0 { return walks.noteFailure(prefetch.name) }
        let (keys, interval) = tree.answer(prefetch.request)
        send(walks.noteArrival(prefetch.name, keys, in: interval, tree: tree))
    }

    private mutating func check() {
        for account in walks.accounts {
            excess = max(excess, account.unvisitedCount - account.usedCount / 10 - DeepWalk.unvisitedCountMax)
        }
    }
}

/// Lists a simulated tree by a plan, one round of responses after the other.
struct SimulatedTreeListing {
    var tree: SimulatedTree
    private(set) var requestCount = 0
    private(set) var roundCount = 0
    private(set) var keyCount = 0

    init(keys: [Key]) {
        tree = SimulatedTree(keys: keys)
    }

    mutating func run(below root: Key) {
        var plan = TreeListingPlan(below: root)
        var requests = plan.nextRequests(tree)
        while !plan.isDone, !requests.isEmpty {
            requestCount += requests.count
            roundCount += 1
            var further: [PrefetchRequest] = []
            for prefetch in requests {
                let (keys, interval) = tree.answer(prefetch.request)
                if let next = plan.noteArrival(prefetch.name, keys, in: interval) { further.append(next) }
            }
            requests = further + plan.nextRequests(tree)
        }
        keyCount = plan.keyCount
    }
}

extension SimulatedTree {
    /// Answers a request, and adds the response to the known part.
    mutating func answer(_ request: ListRequest) -> (keys: [Key], interval: KeyInterval) {
        if request.isDelimited {
            absorbListing(of: request.prefix)
            return ([], KeyInterval(prefix: request.prefix))
        }
        let (keys, interval) = page(request)
        absorb(interval)
        return (keys, interval)
    }

    /// Returns the reads of a depth-first walk that visits subdirectories in the order of `sort`.
    func depthFirst(
        from root: Key = .empty, sort: ([[UInt8]]) -> [[UInt8]] = { $0 }
    ) -> [WalkerAct] {
        var acts: [WalkerAct] = []
        var stack = [root]
        while let directory = stack.popLast() {
            acts.append(.read(directory))
            for name in sort(folders[directory]?.subdirectories ?? []).reversed() {
                stack.append(directory.directory(name))
            }
        }
        return acts
    }
}
