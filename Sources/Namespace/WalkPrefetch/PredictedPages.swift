import ObjectStore

/// The flat pages of one walk or tree listing, with the predicted ends of their segments.
struct PredictedPages {
    /// The most keys that S3 returns on a page.
    private static let pageKeyCount = 1_000
    /// The number of requests beyond 1.2 for each full page from which on there are no predictions.
    private static let excessCountMax = 20

    private let root: Key
    private(set) var predictor: SegmentPredictor
    /// The number of keys that only one page covered.
    private(set) var keyCount = 0

    init(root: Key) {
        self.root = root
        predictor = SegmentPredictor(root: root)
    }

    /// Returns the request for the page that begins at `start`, which no other page covers.
    func request(
        from start: Key, for walk: Int, _ accounting: inout PrefetchAccounting, _ tree: some TreeView
    ) -> PrefetchRequest {
        let predicted = mayPredict(accounting.account(of: walk)) ? predictor.end(from: start, in: tree) : nil
        let end = KeyInterval.earlierEnd(predicted, accounting.nextStart(behind: start))
        let page = accounting.begin(KeyInterval(lower: start, upper: end ?? root.endOfPrefix), for: walk)
        return PrefetchRequest(page, from: start, below: root, upTo: end)
    }

    /// Returns `true` if the next request is within the bound even if its page shares all keys with others, as after
    /// predictions from siblings that turned out to be different.
    private func mayPredict(_ account: PrefetchAccounting.Account) -> Bool {
        let expectedKeyCount = keyCount + Self.pageKeyCount * account.inFlightCount
        return account.requestedCount < Self.excessCountMax + expectedKeyCount * 12 / (10 * Self.pageKeyCount)
    }

    /// Notes a page with `keys`, of which no other page covers those in `own`.
    mutating func settle(_ keys: [Key], own: KeyInterval) {
        let ownKeys = keys.filter { own.contains($0) }
        keyCount += ownKeys.count
        predictor.learn(ownKeys, in: own)
    }
}
