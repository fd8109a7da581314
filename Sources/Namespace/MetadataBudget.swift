import ObjectStore
import Synchronization

/// How much memory may be spent on what is known of names: listings, their entries, and the inodes that the kernel knows,
/// which hold entries also when their listing is gone (`--metadata-limit`).
///
/// Beyond the limit, the kernel is asked to forget files of listings that have gone before, whose blocks only it holds; then
/// listings that nobody has used for the longest time go, and the files that it knows of them. It forgets a little later, so
/// what that sets free isn't waited for: the next ones go when there is notably more again.
///
/// What an open directory reads is not dropped. So a folder that is bigger than the limit takes the memory that it takes
/// until it is closed, and all others go meanwhile.
final class MetadataBudget: Sendable {
    private let byteLimit: Int
    private let account: BlockAccount
    private let inodes: InodeTable
    private let kernel = Mutex<(any KernelCache)?>(nil)
    private let unlisted = Mutex(UnlistedBlocks())
    private let isEvicting = Atomic<Bool>(false)
    /// Nothing goes before as many bytes are used, because what went last may still be on its way out.
    private let nextEviction = Atomic<Int>(0)
    /// The inodes aren't counted before listings and entries take as many bytes: to count them takes a while.
    private let nextLook = Atomic<Int>(0)

    /// One part in so many goes at a time: few enough that nobody waits for it, enough that it is seldom.
    private static let stepCount = 16

    /// - Parameter byteLimit: How much, in bytes. Five eighths of it are for what is kept: pages that are on their way, and
    ///   what malloc can't give back between what has gone and what has stayed, take the rest. (A walk over 2,000,000 keys
    ///   took 158 MiB where 128 were allowed, and 138 with three quarters.)
    init(byteLimit: Int, account: BlockAccount, inodes: InodeTable) {
        self.byteLimit = byteLimit / 8 * 5
        self.account = account
        self.inodes = inodes
    }

    /// Who tells the kernel things; `nil` before there is a mount.
    var kernelCache: (any KernelCache)? {
        kernel.withLock { $0 }
    }

    /// From now on the kernel is told through `kernel` what to let go of.
    func attach(_ kernel: any KernelCache) {
        self.kernel.withLock { $0 = kernel }
    }

    /// How much is used, in bytes.
    var byteCount: Int { account.byteCount + inodes.byteCount }

    /// How much is to be let go of now, in bytes; `nil` where that is nothing, or somebody else is at it. Ends with
    /// `endEviction`.
    func beginEviction() -> Int? {
        let entriesByteCount = account.byteCount
        guard entriesByteCount > nextLook.load(ordering: .relaxed) else { return nil }
        let used = byteCount
        if used <= byteLimit {
            // Inodes don't take more than the entries that they hold, so half of what is left may be gone then.
            nextLook.store(
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

    /// Has the kernel let go of what it knows of listings that have gone.
    ///
    /// - Parameter isOver: Whether nothing is left to do for now.
    func endEviction(of listings: [DirectoryListing], isOver: Bool) {
        noteGone(listings)
        let goneByteCount = listings.reduce(0) { $0 + $1.byteCount }
        // Before the kernel is asked: it may answer at once.
        nextEviction.store(isOver ? byteCount + byteLimit / MetadataBudget.stepCount / 2 : 0, ordering: .relaxed)
        _ = releaseUnlistedBlocks(goneByteCount)
        isEvicting.store(false, ordering: .releasing)
    }

    /// Listings have been dropped or replaced: what something still holds of them can only be asked for.
    func noteGone(_ listings: [DirectoryListing]) {
        noteGone(listings.flatMap(\.blocks))
    }

    /// The same for blocks that are of no listing.
    func noteGone(_ blocks: [EntryBlock]) {
        unlisted.withLock { $0.add(blocks) }
    }

    /// Somebody has read a listing, so that it can be dropped. Whether that may make a difference now.
    func noteReleasable(_ listing: DirectoryListing) -> Bool {
        guard byteCount > byteLimit, listing.byteCount > byteLimit / MetadataBudget.stepCount else { return false }
        nextEviction.store(0, ordering: .relaxed)
        return true
    }

    /// Has the kernel let go of the files of blocks of so many bytes, whose listings have gone. How many bytes that may set
    /// free that nobody has counted on before.
    private func releaseUnlistedBlocks(_ byteCount: Int) -> Int {
        guard let kernel = kernelCache else { return 0 }
        let (blocks, freshByteCount) = unlisted.withLock { $0.next(byteCount: byteCount) }
        if !blocks.isEmpty {
            // Finding the names takes a while, so it is done where the kernel is told.
            kernel.release { [self] in blocks.flatMap { $0.block.map(names) ?? [] } }
        }
        return freshByteCount
    }

    /// The names that the kernel knows by entries of this block.
    private func names(_ block: EntryBlock) -> [KernelName] {
        // The kernel doesn't know names in a directory that it has forgotten.
        guard let parent = inodes.directory(block.prefix) else { return [] }
        return inodes.inodes(pinning: block).map { index, id in
            KernelName(
                parent: parent, name: block.withName(index) { Array($0) }, child: id,
                isDirectory: block.isDirectory(index))
        }
    }
}
