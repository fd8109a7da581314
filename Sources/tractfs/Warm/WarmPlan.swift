import BlockCache

/// The work to do, and the check that it fits into the cache.
struct WarmPlan {
    let wanted: WantedFiles
    let room: DiskCache.Room
    let keeps: Bool

    /// The pinned bytes of other files.
    private var othersByteCount: Int { max(room.pinnedByteCount - wanted.keptByteCount, 0) }

    /// The bytes of the cache that these files may use.
    private var limit: Int {
        max((keeps ? room.pinnableByteCount : room.fillableByteCount) - othersByteCount, 0)
    }

    /// Text such as "13794 files, 62.3GiB: 17.8GiB are in the cache, 44.5GiB to fetch; the cache can hold 72GiB".
    var description: String {
        let files = "\(WarmText.files(wanted.files.count)), \(text(wanted.byteCount))"
        let there =
            wanted.missingByteCount == 0
            ? "all in the cache"
            : "\(text(wanted.cachedByteCount)) are in the cache, \(text(wanted.missingByteCount)) to fetch"
        return "\(files): \(there); the cache can \(verb) \(text(limit))"
    }

    private var verb: String { keeps ? "keep" : "hold" }

    /// The reason that the files can't be fetched; `nil` if they fit.
    var refusal: Failure? {
        guard wanted.allocatedByteCount > limit else { return nil }
        let others = othersByteCount > 0 ? ", beside \(text(othersByteCount)) that are kept" : ""
        return Failure(
            "\(text(wanted.allocatedByteCount)) don't fit into the cache: it can \(verb) \(text(limit)) "
                + "of its \(text(room.byteLimit))\(others); \(advice)")
    }

    private var advice: String {
        let choose = "choose less with --include and --exclude" + (othersByteCount > 0 ? ", or release some" : "")
        // If the disk is too small, a higher limit doesn't help.
        let share = keeps ? 100 * room.pinnableByteCount / 80 : 100 * room.fillableByteCount / 90
        guard share >= room.byteLimit / 2 else { return "free some of the disk, or \(choose)" }
        // An eighth for listings, and a tenth that is freed when the cache is full; a fifth that can't be pinned.
        let needed = Double(wanted.allocatedByteCount + othersByteCount) * (keeps ? 1.5 : 1.35)
        return "mount with --cache-size \(Int((needed / Double(1 << 30)).rounded(.up)))GiB, or \(choose)"
    }

    private func text(_ byteCount: Int) -> String { ByteCount(byteCount).rounded }
}
