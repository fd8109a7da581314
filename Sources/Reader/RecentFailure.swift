import ObjectStore

/// A failure that somebody has waited for as long as a read may take, and that holds for a little while.
///
/// Where the kernel's read-ahead fails, it asks again at once for the first page that an application needs
/// (`filemap_read_page` in Linux's mm/filemap.c). Asking the store once more would have the application wait twice as long
/// as it may.
struct RecentFailure {
    /// Far more than the kernel needs to ask again, and less than a person does.
    static let lifetime: Duration = .seconds(1)

    /// The bytes that did not come.
    let range: Range<Int>
    let error: StoreError
    private let instant: RunningClock.Instant

    /// - Parameters:
    ///   - start: When the store was asked for the bytes.
    ///   - now: When it failed.
    ///   - readTimeout: How long a read may take.
    /// - Returns: `nil` where the failure came so soon that another attempt is worth it.
    init?(
        _ error: StoreError, range: Range<Int>, start: RunningClock.Instant, now: RunningClock.Instant,
        readTimeout: Duration
    ) {
        // Whoever retries gives up where the next attempt would begin behind the deadline, which may be long before it.
        guard now - start >= readTimeout / 2 else { return nil }
        (self.range, self.error, instant) = (range, error, now)
    }

    /// Whether it is the answer to a read of `range`.
    func answers(_ range: Range<Int>, now: RunningClock.Instant) -> Bool {
        now < instant + Self.lifetime && self.range.overlaps(range)
    }
}
