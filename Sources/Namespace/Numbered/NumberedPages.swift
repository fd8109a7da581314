import ObjectStore

/// The pages to prefetch for a reader of a directory with numbered names: guesses of the beginnings of later pages, as
/// many as were right so far.
///
/// Guesses are a full page apart. If numbers are missing, two pages share entries. If there are more names than
/// numbers, or another series begins, one page ends before the next begins; then there are no guesses until own pages
/// of the directory show a series again. Pages that the reader hasn't reached, and useless ones, are never more than a
/// tenth of the useful ones plus `wastedCountMax`.
struct NumberedPages {
    /// The most pages ahead of the reader: at 20 ms each, more keys than the kernel can read.
    static let widthMax = 32
    private static let widthMin = 2
    /// The number of pages that may be useless, besides a tenth of the useful ones.
    private static let wastedCountMax = 32

    /// A requested page.
    struct Guess: Equatable {
        fileprivate let series: NumberSeries
        /// The number behind which it begins.
        fileprivate let number: Int
        /// The number behind those that it should cover: one page's worth.
        fileprivate let end: Int

        /// The sort key behind which it begins.
        let sortKey: [UInt8]
        /// The last sort key that it should cover; `nil` if there are no more numbers of this width.
        var endSortKey: [UInt8]? { series.sortKey(of: end) }
    }

    private let widthLimit: Int
    private var series: NumberSeries?
    /// The number of names on a page.
    private var pageCount = 0
    /// The number behind which the last guess begins, or the last number of the pages that showed the series.
    private var tip = 0
    private var width = Self.widthMin
    /// Guesses that the reader hasn't reached, in order.
    private var unseen: [[UInt8]] = []
    private var inFlightCount = 0
    private var usedCount = 0
    private var wastedCount = 0

    /// Creates a prefetcher without guesses.
    ///
    /// - Parameter widthLimit: The number of pages ahead of a reader that memory allows.
    init(widthLimit: Int) {
        self.widthLimit = max(1, min(widthLimit, Self.widthMax))
    }

    /// Notes an own page of the directory that isn't the last.
    ///
    /// - Parameters:
    ///   - sortKeys: The sort keys of its last entries.
    ///   - count: The number of its entries.
    mutating func note(_ sortKeys: [[UInt8]], count: Int) {
        if let series, let last = sortKeys.last, series.number(of: last) != nil { return }
        series = NumberSeries(sortKeys)
        pageCount = count
        tip = series?.last ?? 0
    }

    /// Returns the pages to request now.
    ///
    /// - Parameters:
    ///   - reader: The sort key that the reader has reached.
    ///   - front: The last sort key before which everything is known.
    ///   - isFetching: `true` if the page behind that is already in flight.
    mutating func plan(reader: [UInt8], front: [UInt8], isFetching: Bool) -> [Guess] {
        let seenCount = unseen.prefix { $0.lexicographicallyPrecedes(reader) }.count
        unseen.removeFirst(seenCount)
        usedCount += seenCount
        guard let series, let frontNumber = series.number(of: front) else { return [] }
        let distance = pageCount * series.step
        let first = isFetching ? frontNumber + distance : frontNumber
        var guesses: [Guess] = []
        while mayRequest {
            let number = max(tip + distance, first)
            guard let sortKey = series.sortKey(of: number) else { break }
            tip = number
            unseen.append(sortKey)
            inFlightCount += 1
            guesses.append(Guess(series: series, number: number, end: number + distance, sortKey: sortKey))
        }
        return guesses
    }

    private var mayRequest: Bool {
        unseen.count < min(width, widthLimit) && inFlightCount < min(width, widthLimit)
            && unseen.count + wastedCount < Self.wastedCountMax + usedCount / 10
    }

    /// Notes a guessed page that has arrived.
    ///
    /// - Parameters:
    ///   - last: The sort key of its last entry; `nil` if it is empty.
    ///   - isLast: `true` if it is the last page of the directory.
    mutating func settle(_ guess: Guess, last: [UInt8]?, isLast: Bool) {
        inFlightCount -= 1
        let isRight = last.flatMap { guess.series.number(of: $0) }.map { isLast || $0 >= guess.end } ?? false
        if isLast || !isRight { end(guess.series) }
        if !isRight { return waste(guess) }
        width = min(width + 1, Self.widthMax)
    }

    /// Notes a guessed page that has failed.
    mutating func fail(_ guess: Guess) {
        inFlightCount -= 1
        waste(guess)
    }

    /// Ends guesses about a series.
    private mutating func end(_ ended: NumberSeries) {
        if series == ended { series = nil }
    }

    private mutating func waste(_ guess: Guess) {
        wastedCount += 1
        unseen.removeAll { $0 == guess.sortKey }
        halve()
    }

    private mutating func halve() {
        width = max(Self.widthMin, width / 2)
    }
}
