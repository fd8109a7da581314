import Namespace
import Synchronization
import struct SystemPackage.Errno

extension FileSystem {
    /// How far a listing of all that is below a directory is.
    public struct WarmStatus: Sendable {
        /// How many keys were listed.
        public let keyCount: Int
        /// How many pages that took.
        public let pageCount: Int
        /// How it ended; `nil` while it goes on.
        public let outcome: Result<Void, Failure>?

        /// So far it is.
        public init(keyCount: Int, pageCount: Int, outcome: Result<Void, Failure>?) {
            self.keyCount = keyCount
            self.pageCount = pageCount
            self.outcome = outcome
        }
    }
}

/// The listings of whole trees that were asked for through open directories, each until its directory is closed.
final class Warmings: Sendable {
    /// Each asks for as many pages at once as a walk does at its widest. More would only wait for each other, and for
    /// longer keep those waiting who read.
    static let countMax = 4

    private enum Warming {
        /// Its listing is being begun.
        case beginning
        case begun(TreeListerProgress)

        var isAtWork: Bool {
            switch self {
            case .beginning: true
            case .begun(let progress): !progress.isDone
            }
        }
    }

    private let warmings = Mutex<[Handle: Warming]>([:])

    /// Adds what `begin` begins. Throws EBUSY where there are enough, or this directory has one.
    func add(_ handle: Handle, _ begin: () -> TreeListerProgress) throws(Errno) {
        let mayBegin = warmings.withLock { warmings in
            let atWorkCount = warmings.values.count { $0.isAtWork }
            guard atWorkCount < Warmings.countMax, warmings[handle]?.isAtWork != true else { return false }
            warmings[handle] = .beginning
            return true
        }
        guard mayBegin else { throw .resourceBusy }
        let progress = begin()
        let isWanted = warmings.withLock { warmings in
            // It is gone where the directory was closed meanwhile.
            guard warmings[handle] != nil else { return false }
            warmings[handle] = .begun(progress)
            return true
        }
        if !isWanted { progress.cancel() }
    }

    /// How far the one of this directory is; `nil` where it has none.
    func progress(_ handle: Handle) -> TreeListerProgress? {
        guard case .begun(let progress) = warmings.withLock({ $0[handle] }) else { return nil }
        return progress
    }

    /// The directory is closed, so nobody waits any more.
    func remove(_ handle: Handle) {
        guard case .begun(let progress) = warmings.withLock({ $0.removeValue(forKey: handle) }) else { return }
        progress.cancel()
    }
}
