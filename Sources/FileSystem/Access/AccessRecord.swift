import ObjectStore
import Synchronization

/// Which files were opened and read since the start, within a limit: beyond it the least read ones are remembered by their
/// folders only.
///
/// Opening a file looks it up here under a lock; reading one needs neither this nor the lock, since who has a file open holds
/// its `FileAccess`.
final class AccessRecord: Sendable {
    /// How many files are remembered one by one. With keys and ETags as long as they may be, and all files large, they take 9 MiB;
    /// with keys of 100 bytes, one file in ten large, about 2 MiB. A group's working set of subjects fits.
    static let fileCountMax = 4_096
    /// Longer keys, and ETags, aren't remembered; S3 has none.
    private static let keyByteCountMax = 1_024
    private static let etagByteCountMax = 128
    /// After no room could be made, because all files are open, so many opens go by before that is tried again.
    private static let patience = 256

    private struct State {
        var files: [ObjectVersion: FileAccess] = [:]
        var folders = FolderAccesses()
        var droppedFileCount = 0
        /// How many opens are to go by before there is an attempt to make room.
        var pause = 0
    }

    private let state = Mutex(State())
    private let openCount = Atomic<Int>(0)
    private let unrecordedOpenCount = Atomic<Int>(0)

    /// What is to be told of an object that is opened; `nil` where it can't be remembered.
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
        // A digest is of one size; making text of it would cost each open something.
        object.key.bytes.count <= keyByteCountMax
            && (object.etag.digest != nil || object.etag.text.utf8.count <= etagByteCountMax)
    }

    /// A file was opened.
    func noteOpen(_ access: FileAccess?) {
        openCount.add(1, ordering: .relaxed)
        if let access { access.noteOpen() } else { unrecordedOpenCount.add(1, ordering: .relaxed) }
    }

    /// How many opens there were.
    var totalOpenCount: Int { openCount.load(ordering: .relaxed) }

    /// Whether there is room for a file more; a quarter of the others goes if there isn't.
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
        if state.files.count >= fileCountMax { state.pause = patience }
        return state.files.count < fileCountMax
    }

    /// Remembers an object by its folder only, unless somebody has it open: he counts on.
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

    /// All that is remembered.
    var snapshot: AccessSnapshot {
        let (files, folders, droppedFileCount) = state.withLock { ($0.files, $0.folders, $0.droppedFileCount) }
        // References in `files` keep entries from being dropped meanwhile, so they are let go of soon.
        let accesses = files.map { object, access in
            AccessSnapshot.File(object: object, counts: access.counts, partByteCounts: access.partByteCounts)
        }
        return AccessSnapshot(
            files: accesses.filter { !$0.counts.isNone }, folders: folders.counts, droppedFileCount: droppedFileCount,
            unrecordedOpenCount: unrecordedOpenCount.load(ordering: .relaxed))
    }
}
