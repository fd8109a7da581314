import ObjectStore
import Synchronization

/// The opens and reads of files since the start. Beyond a limit, the least read files are recorded only as part of
/// their folders.
///
/// Opening a file takes a lookup here under a lock. A read needs neither, since an open file holds its `FileAccess`.
final class AccessRecord: Sendable {
    /// The most files recorded individually. With keys and ETags of maximum length, and only large files, they use 9
    /// MiB; with keys of 100 bytes, one file in ten large, about 2 MiB. The working set of subjects of a group fits.
    static let fileCountMax = 4_096
    /// Longer keys and ETags aren't recorded; S3 has none.
    private static let keyByteCountMax = 1_024
    private static let etagByteCountMax = 128
    /// The number of opens before the next attempt to make room, after one failed because all files are open.
    private static let retryAfterOpenCount = 256

    private struct State {
        var files: [ObjectVersion: FileAccess] = [:]
        var folders = FolderAccesses()
        var droppedFileCount = 0
        /// The number of opens left before the next attempt to make room.
        var pause = 0
    }

    private let state = Mutex(State())
    private let openCount = Atomic<Int>(0)
    private let unrecordedOpenCount = Atomic<Int>(0)

    /// Returns the record for an object that is opened; `nil` if it can't be recorded.
    func access(of object: ObjectVersion) -> FileAccess? {
        guard AccessRecord.isMemorable(object) else { return nil }
        return state.withLock { state in
            if let access = state.files[object] { return access }
            guard AccessRecord.hasRoom(&state) else { return nil }
            let access = FileAccess(of: object.byteCount)
            state.files[object] = access
            return access
        }
    }

    private static func isMemorable(_ object: ObjectVersion) -> Bool {
        // A digest has a fixed size; converting it to text would slow each open.
        object.key.bytes.count <= keyByteCountMax
            && (object.etag.digest != nil || object.etag.text.utf8.count <= etagByteCountMax)
    }

    /// Records an open.
    func noteOpen(_ access: FileAccess?) {
        openCount.add(1, ordering: .relaxed)
        if let access { access.noteOpen() } else { unrecordedOpenCount.add(1, ordering: .relaxed) }
    }

    /// The number of opens.
    var totalOpenCount: Int { openCount.load(ordering: .relaxed) }

    /// Returns `true` if there is room for another file; if there isn't, drops a quarter of the others first.
    private static func hasRoom(_ state: inout State) -> Bool {
        if state.files.count < fileCountMax { return true }
        if state.pause > 0 {
            state.pause -= 1
            return false
        }
        let order = state.files.map { (object: $0.key, counts: $0.value.counts) }
            .sorted { AccessCounts.isLess($0.counts, than: $1.counts) }
        for (object, _) in order {
            if state.files.count <= fileCountMax * 3 / 4 { break }
            drop(object, &state)
        }
        if state.files.count >= fileCountMax { state.pause = retryAfterOpenCount }
        return state.files.count < fileCountMax
    }

    /// Moves an object's counts to its folder, unless it is open: an open file keeps counting.
    private static func drop(_ object: ObjectVersion, _ state: inout State) {
        guard var access = state.files.removeValue(forKey: object) else { return }
        guard isKnownUniquelyReferenced(&access) else {
            state.files[object] = access
            return
        }
        let counts = access.counts
        if counts.isNone { return }
        state.droppedFileCount += 1
        state.folders.add(counts, in: object.key.folder)
    }

    /// A snapshot of all counts.
    var snapshot: AccessSnapshot {
        let (files, folders, droppedFileCount) = state.withLock { ($0.files, $0.folders, $0.droppedFileCount) }
        // References in `files` prevent entries from being dropped meanwhile, so release them soon.
        let accesses = files.map { object, access in
            AccessSnapshot.File(object: object, counts: access.counts, partByteCounts: access.partByteCounts)
        }
        return AccessSnapshot(
            files: accesses.filter { !$0.counts.isNone }, folders: folders.counts, droppedFileCount: droppedFileCount,
            unrecordedOpenCount: unrecordedOpenCount.load(ordering: .relaxed))
    }
}
