import ObjectStore

/// The flat pages of one walk or tree listing, with their predicted ends.
struct PredictedPages {
    /// The number of requests that may turn out to be useless before predictions must be good.
    private static let freeCount = 8

    private let root: Key
    private(set) var predictor: PageEndPredictor
    private var guesses: [Int: PageEndPredictor.Guess] = [:]
    /// The number of keys that only one page covered.
    private(set) var keyCount = 0

    init(root: Key) {
        self.root = root
        predictor = PageEndPredictor(root: root)
    }

    /// Returns the request for the page that begins at `start`, which no other page covers.
    mutating func request(
        from start: Key, for walk: Int, _ accounting: inout PrefetchAccounting, _ tree: some TreeView
    ) -> PrefetchRequest {
        // Without a guess, this page and its successors cover everything up to the next big directory, in parallel with
        // those of that one.
        let guess = areEfficient(accounting.account(of: walk)) ? predictor.guess(from: start, in: tree) : nil
        let end = KeyInterval.earlierEnd(
            guess?.end ?? predictor.boundary(behind: start, in: tree), accounting.nextStart(behind: start))
        let page = accounting.begin(KeyInterval(lower: start, upper: end ?? root.endOfPrefix), for: walk)
        if let guess {
            guesses[page] = guess
            predictor.begin(guess)
        }
        return PrefetchRequest(page, from: start, below: root, upTo: end)
    }

    /// Notes a page that covers `interval` with `keys`; no other page covers `own`.
    mutating func settle(_ page: Int, _ keys: [Key], in interval: KeyInterval, own: KeyInterval) {
        if let guess = guesses.removeValue(forKey: page) {
            let hasGap = interval.upper.map { $0 < guess.end } ?? false
            predictor.settle(guess, keyCount: keys.count { $0 < guess.end }, hasGap: hasGap)
        }
        let ownKeys = keys.filter { own.contains($0) }
        keyCount += ownKeys.count
        predictor.learn(ownKeys, in: own)
    }

    /// Notes a failed page.
    mutating func fail(_ page: Int) {
        if let guess = guesses.removeValue(forKey: page) { predictor.settle(guess, keyCount: nil, hasGap: false) }
    }

    /// Returns `true` if pages so far covered nearly as many keys as they can, so that another one that may share keys
    /// with the next is no great loss.
    private func areEfficient(_ account: PrefetchAccounting.Account) -> Bool {
        let expectedKeyCount = keyCount + PageEndPredictor.pageKeyCount * (account.inFlightCount + 1)
        return (account.requestedCount + 1 - PredictedPages.freeCount) * PageEndPredictor.pageKeyCount * 10
            <= 11 * expectedKeyCount
    }
}
