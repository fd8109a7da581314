import ObjectStore
import Synchronization

/// How much memory may be spent on what is known of names: listings, their entries, and the inodes that the kernel knows,
/// which hold entries also when their listing is gone (`--metadata-limit`).
///
/// Beyond the limit, listings that nobody has used for the longest time go, and the kernel is asked to forget the files that
/// it knows of them. It does so a little later, so what that sets free isn't waited for: the next ones go when there is
/// notably more again.
final class MetadataBudget: Sendable {
    private let byteLimit: Int
    private let account: BlockAccount
    private let inodes: InodeTable
    private let kernel = Mutex<(any KernelCache)?>(nil)
    private let isEvicting = Atomic<Bool>(false)
    /// Nothing goes before as many bytes are used, because what went last may still be on its way out.
    private let nextEviction = Atomic<Int>(0)
    /// The inodes aren't counted before listings and entries take as many bytes: to count them takes a while.
    private let nextLook = Atomic<Int>(0)

    /// One part in so many goes at a time: few enough that nobody waits for it, enough that it is seldom.
    private static let stepCount = 16

    /// - Parameter byteLimit: How much, in bytes, about.
    init(byteLimit: Int, account: BlockAccount, inodes: InodeTable) {
        self.byteLimit = byteLimit
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
        return used - byteLimit + byteLimit / MetadataBudget.stepCount
    }

    /// Has the kernel let go of what it knows of listings that have gone.
    func endEviction(of listings: [Listing]) {
        let names = kernelCache == nil ? [] : listings.flatMap(names)
        // Before the kernel is asked: it may answer at once.
        nextEviction.store(byteCount + byteLimit / MetadataBudget.stepCount / 2, ordering: .relaxed)
        isEvicting.store(false, ordering: .releasing)
        if !names.isEmpty { kernelCache?.release(names) }
    }

    /// The names in a directory that the kernel knows by entries of this listing.
    private func names(_ listing: Listing) -> [KernelName] {
        // The kernel doesn't know names in a directory that it has forgotten.
        guard let parent = inodes.directory(listing.prefix) else { return [] }
        return listing.blocks.flatMap { block in
            inodes.inodes(pinning: block).map { index, id in
                KernelName(
                    parent: parent, name: block.withName(index) { Array($0) }, child: id,
                    isDirectory: block.isDirectory(index))
            }
        }
    }
}
