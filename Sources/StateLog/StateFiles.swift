import CLinux
import Glibc
import SystemPackage

/// The two files of a log. One of them, the active file, receives the records.
struct StateFiles: ~Copyable, Sendable {
    private var first: StateFile
    private var second: StateFile
    private var isSecondActive: Bool

    /// Creates two new files.
    static func create() throws(StateLogError) -> StateFiles {
        var first = try StateFile.open(newFile())
        do throws(Errno) {
            try first.begin(edition: 1, isWhole: true)
        } catch {
            throw StateLogError("there is no room for the log of the state: \(error)")
        }
        return StateFiles(first: first, second: try StateFile.open(newFile()), isSecondActive: false)
    }

    /// Creates two new files for another process; the first records are still to be written.
    static func createDescriptors() throws(StateLogError) -> [FileDescriptor] {
        let files = try create()
        do {
            // The descriptors of `files` are closed with it.
            return try files.descriptors.map { descriptor in
                let copy = fcntl(descriptor.rawValue, F_DUPFD_CLOEXEC, 0)
                guard copy >= 0 else { throw Errno(rawValue: errno) }
                return FileDescriptor(rawValue: copy)
            }
        } catch {
            throw StateLogError("there is no file for the log of the state: \(error)")
        }
    }

    /// Creates a file on a disk, because it may grow by some 100 bytes per inode; in memory if that fails.
    private static func newFile() throws(StateLogError) -> FileDescriptor {
        var descriptor = tractfs_open_nameless("/var/tmp")
        if descriptor < 0 { descriptor = tractfs_open_memory("tractfs-state") }
        guard descriptor >= 0 else {
            throw StateLogError("there is no file for the log of the state: \(Errno(rawValue: errno))")
        }
        return FileDescriptor(rawValue: descriptor)
    }

    /// Opens the files that another process has written.
    static func open(_ descriptors: [FileDescriptor]) throws(StateLogError) -> StateFiles {
        guard descriptors.count == 2 else { throw StateLogError("a log of the state is two files") }
        let first = try StateFile.open(descriptors[0])
        let second = try StateFile.open(descriptors[1])
        let isSecondActive = second[.edition] > first[.edition]
        var files = StateFiles(first: first, second: second, isSecondActive: isSecondActive)
        if files.isLost { throw StateLogError("the log of the state is incomplete, because there was no room for it") }
        try files.settle()
        return files
    }

    private init(first: consuming StateFile, second: consuming StateFile, isSecondActive: Bool) {
        self.first = first
        self.second = second
        self.isSecondActive = isSecondActive
    }

    /// Ensures that the file beside the active one is either needed or empty.
    private mutating func settle() throws(StateLogError) {
        if isWhole {
            isSecondActive ? first.drop() : second.drop()
            guard edition > 0 else { throw StateLogError("the log of the state is empty") }
            return
        }
        let (edition, isWhole) =
            isSecondActive ? (first[.edition], first[.isWhole]) : (second[.edition], second[.isWhole])
        guard edition > 0, edition == self.edition - 1, isWhole == 1 else {
            throw StateLogError("the log of the state lacks its beginning")
        }
    }

    /// The descriptors that another process needs to continue.
    var descriptors: [FileDescriptor] { [first.descriptor, second.descriptor] }

    /// The edition: the number of switches between the files.
    var edition: UInt64 { isSecondActive ? second[.edition] : first[.edition] }

    /// `true` if the active file contains the complete state.
    var isWhole: Bool { (isSecondActive ? second[.isWhole] : first[.isWhole]) == 1 }

    /// `true` if a record could not be written.
    var isLost: Bool { first[.isLost] == 1 || second[.isLost] == 1 }

    /// The number of bytes in the active file.
    var byteCount: Int { isSecondActive ? second.end : first.end }

    mutating func append(_ header: RecordHeader, _ content: RawSpan) throws(Errno) {
        if isSecondActive {
            try second.append(header, content)
        } else {
            try first.append(header, content)
        }
    }

    /// Makes the other file active, without records.
    mutating func beginRewriting() throws(Errno) {
        let next = edition + 1
        if isSecondActive {
            try first.begin(edition: next, isWhole: false)
        } else {
            try second.begin(edition: next, isWhole: false)
        }
        isSecondActive.toggle()
    }

    /// Records that the active file contains the complete state.
    mutating func endRewriting() {
        if isSecondActive {
            second[.isWhole] = 1
            first.drop()
        } else {
            first[.isWhole] = 1
            second.drop()
        }
    }

    /// Marks the log as incomplete after a failed write, so that no successor trusts it.
    mutating func lose() {
        first[.isLost] = 1
        second[.isLost] = 1
        first.drop()
        second.drop()
    }

    /// Calls `body` with all records, in the order in which they were written.
    func forEachRecord(_ body: (RecordHeader, RawSpan) throws(StateLogError) -> Void) throws(StateLogError) {
        if isSecondActive {
            if !isWhole { try first.forEachRecord(body) }
            try second.forEachRecord(body)
        } else {
            if !isWhole { try second.forEachRecord(body) }
            try first.forEachRecord(body)
        }
    }
}
