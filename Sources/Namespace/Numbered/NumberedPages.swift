import ObjectStore

/// Which pages to ask for ahead of somebody who reads a directory of numbered names: guesses of where pages further on
/// begin, as many as have proven right so far.
///
/// Guesses follow each other at the distance of a full page. Where numbers are missing they tell of some entries twice; where
/// there are more names than numbers, or another series begins, one ends before the next begins, which ends the guessing
/// until pages of the directory's own show a series again. What the reader hasn't come to, and what was of no use, is never
/// more than a tenth of what was, and `wastedCountMax`.
struct NumberedPages {
    /// Pages ahead of the reader, at the most: at 20 ms each, more keys than the kernel can be told of.
    static let widthMax = 32
    private static let widthMin = 2
    /// How many pages may be for nothing, beside a tenth of those that were of use.
    private static let wastedCountMax = 32

    /// A page that was asked for.
    struct Guess: Equatable {
        fileprivate let series: NumberSeries
        /// The number that it begins behind.
        fileprivate let number: Int
        /// Which numbers it should tell of: as many as there are on a page.
        fileprivate let end: Int

        /// The sortKey that it begins behind.
        let sortKey: [UInt8]
        /// The last sortKey that it should tell of; `nil` where there are no more numbers of this width.
        var endSortKey: [UInt8]? { series.sortKey(of: end) }
    }

    private let widthLimit: Int
    private var series: NumberSeries?
    /// How many names there are on a page.
    private var pageCount = 0
    /// The number that the last guess begins behind, or the last one of the pages that the series was found in.
    private var tip = 0
    private var width = Self.widthMin
    /// Guesses that the reader hasn't come to, in order.
    private var unseen: [[UInt8]] = []
    private var inFlightCount = 0
    private var usedCount = 0
    private var wastedCount = 0

    /// - Parameter widthLimit: How many pages ahead of a reader there is memory for.
    init(widthLimit: Int) {
        self.widthLimit = max(1, min(widthLimit, Self.widthMax))
    }

    /// A page of the directory's own has come, which isn't the last.
    ///
    /// - Parameters:
    ///   - sortKeys: Of its last entries.
    ///   - count: How many entries it has.
    mutating func note(_ sortKeys: [[UInt8]], count: Int) {
        if let series, let last = sortKeys.last, series.number(of: last) != nil { return }
        series = NumberSeries(sortKeys)
        pageCount = count
        tip = series?.last ?? 0
    }

    /// What to ask for now.
    ///
    /// - Parameters:
    ///   - reader: The sortKey that the reader has come to.
    ///   - front: The last sortKey before which all is known.
    ///   - isFetching: Whether the page behind that is under way already.
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

    /// A page that was guessed has come.
    ///
    /// - Parameters:
    ///   - last: The sortKey of its last entry; `nil` where it is empty.
    ///   - isLast: Whether there is nothing behind it.
    mutating func settle(_ guess: Guess, last: [UInt8]?, isLast: Bool) {
        inFlightCount -= 1
        let isRight = last.flatMap { guess.series.number(of: $0) }.map { isLast || $0 >= guess.end } ?? false
        if isLast || !isRight { end(guess.series) }
        if !isRight { return waste(guess) }
        width = min(width + 1, Self.widthMax)
    }

    /// A page that was guessed won't come.
    mutating func fail(_ guess: Guess) {
        inFlightCount -= 1
        waste(guess)
    }

    /// No more guesses are made of a series.
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
