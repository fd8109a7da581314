import ObjectStore
import Synchronization

/// The limit of the memory for names (`--metadata-limit`): listings, their entries, and the inodes that the kernel
/// knows, which hold entries even after their listing was dropped.
///
/// Beyond the limit, the kernel is first asked to forget files of listings that were dropped earlier, whose blocks only
/// it holds. Then the least recently used listings are dropped, and the kernel is asked to forget their files. It does
/// so a little later. That memory isn't waited for: the next eviction begins when usage has clearly grown again.
///
/// A listing with readers isn't dropped. So a folder bigger than the limit takes its memory until it is closed, while
/// all other listings are dropped.
final class MetadataBudget: Sendable {
    private let byteLimit: Int
    private let account: BlockAccount
    private let inodes: InodeTable
    private let kernel = Mutex<(any KernelCache)?>(nil)
    private let unlisted = Mutex(UnlistedBlocks())
    private let isEvicting = Atomic<Bool>(false)
    /// The usage below which no eviction begins, because memory of the last one may still be in use.
    private let nextEviction = Atomic<Int>(0)
    /// The usage of listings and entries below which inodes aren't counted, since counting them is slow.
    private let nextInodeCount = Atomic<Int>(0)

    /// An eviction frees the limit divided by this number: few enough bytes to be quick, enough to be rare.
    private static let stepCount = 16

    /// Creates a budget for the listings of `account` and for `inodes`.
    ///
    /// - Parameter byteLimit: The limit in bytes. Five eighths of it are for listings and inodes. Pages in flight, and
    ///   memory that malloc can't return between freed and used blocks, take the rest. (With a limit of 128 MiB, a walk
    ///   over 2,000,000 keys took 158 MiB with all of it, and 138 with three quarters.)
    init(byteLimit: Int, account: BlockAccount, inodes: InodeTable) {
        self.byteLimit = byteLimit / 8 * 5
        self.account = account
        self.inodes = inodes
    }

    /// The kernel's cache; `nil` before the mount.
    var kernelCache: (any KernelCache)? {
        kernel.withLock { $0 }
    }

    /// Sets the kernel's cache.
    func attach(_ kernel: any KernelCache) {
        self.kernel.withLock { $0 = kernel }
    }

    /// The usage, in bytes.
    var byteCount: Int { account.byteCount + inodes.byteCount }

    /// Begins an eviction, which `endEviction` ends. Returns the number of bytes to free; `nil` if that is none, or if
    /// another thread is evicting.
    func beginEviction() -> Int? {
        let entriesByteCount = account.byteCount
        guard entriesByteCount > nextInodeCount.load(ordering: .relaxed) else { return nil }
        let used = byteCount
        if used <= byteLimit {
            // Inodes take no more than the entries that they hold, so half of the remaining memory may be used up by
            // then.
            nextInodeCount.store(
                entriesByteCount + max(byteLimit - used, byteLimit / MetadataBudget.stepCount) / 4, ordering: .relaxed)
            nextEviction.store(0, ordering: .relaxed)
            return nil
        }
        guard used > nextEviction.load(ordering: .relaxed),
            !isEvicting.exchange(true, ordering: .acquiring)
        else { return nil }
        let excess = used - byteLimit + byteLimit / MetadataBudget.stepCount
        return max(0, excess - releaseUnlistedBlocks(excess))
    }

    /// Asks the kernel to forget the files of dropped listings.
    ///
    /// - Parameter isOver: `true` if nothing is left to evict for now.
    func endEviction(of listings: [DirectoryListing], isOver: Bool) {
        noteDropped(listings)
        let goneByteCount = listings.reduce(0) { $0 + $1.byteCount }
        // First, since the kernel may answer at once.
        nextEviction.store(isOver ? byteCount + byteLimit / MetadataBudget.stepCount / 2 : 0, ordering: .relaxed)
        _ = releaseUnlistedBlocks(goneByteCount)
        isEvicting.store(false, ordering: .releasing)
    }

    /// Notes listings that were dropped or replaced. Blocks that are still in use can only be freed by the kernel.
    func noteDropped(_ listings: [DirectoryListing]) {
        noteDropped(listings.flatMap(\.blocks))
    }

    /// Notes blocks that belong to no listing.
    func noteDropped(_ blocks: [EntryBlock]) {
        unlisted.withLock { $0.add(blocks) }
    }

    /// Notes that a listing has no readers any more. Returns `true` if dropping it may matter now.
    func noteReleasable(_ listing: DirectoryListing) -> Bool {
        guard account.byteCount > nextInodeCount.load(ordering: .relaxed), byteCount > byteLimit,
            listing.byteCount > byteLimit / MetadataBudget.stepCount
        else { return false }
        nextEviction.store(0, ordering: .relaxed)
        return true
    }

    /// Asks the kernel to forget the files of dropped blocks with this many bytes. Returns the number of bytes that
    /// this frees for the first time.
    private func releaseUnlistedBlocks(_ byteCount: Int) -> Int {
        guard let kernel = kernelCache else { return 0 }
        let (blocks, freshByteCount) = unlisted.withLock { $0.next(byteCount: byteCount) }
        if !blocks.isEmpty {
            // Finding the names is slow, so the notifying thread does it.
            kernel.release { [self] in blocks.flatMap { $0.block.map(names) ?? [] } }
        }
        return freshByteCount
    }

    /// Returns the names that the kernel knows by entries of this block.
    private func names(_ block: EntryBlock) -> [KernelName] {
        // The kernel knows no names in a directory that it has forgotten.
        guard let parent = inodes.directory(block.prefix) else { return [] }
        return inodes.inodes(pinning: block).map { index, id in
            KernelName(
                parent: parent, name: block.withName(index) { Array($0) }, child: id,
                isDirectory: block.isDirectory(index))
        }
    }
}
