import ObjectStore
import SystemSupport

/// The failure of a read after half of its timeout or more. For a short time it also answers reads of the same bytes.
///
/// After a failed read-ahead, the kernel at once requests the first page that the application needs again
/// (`filemap_read_page` in Linux's mm/filemap.c). Another request to the store would make the application wait twice as
/// long as it may.
struct RecentFailure {
    /// The lifetime: far longer than the kernel's second request takes, and shorter than a user's retry.
    static let lifetime: Duration = .seconds(1)

    /// The bytes that did not arrive.
    let range: Range<Int>
    let error: StoreError
    private let instant: RunningClock.Instant

    /// Creates the failure of a request.
    ///
    /// - Parameters:
    ///   - start: The time of the request to the store.
    ///   - now: The time of the failure.
    ///   - readTimeout: The timeout of a read.
    /// - Returns: `nil` if the failure came so soon that another attempt is worthwhile.
    init?(
        _ error: StoreError, range: Range<Int>, start: RunningClock.Instant, now: RunningClock.Instant,
        readTimeout: Duration
    ) {
        // Retries end when the next attempt would begin after the deadline, which may be long before the deadline
        // itself.
        guard now - start >= readTimeout / 2 else { return nil }
        (self.range, self.error, instant) = (range, error, now)
    }

    /// Returns `true` if this failure answers a read of `range`.
    func answers(_ range: Range<Int>, now: RunningClock.Instant) -> Bool {
        now < instant + Self.lifetime && self.range.overlaps(range)
    }
}
