import CLinux
import Glibc
import SystemPackage

/// One of the log's two files: a head, and records one behind the other.
///
/// Records are written through a mapped window, which moves on as the file grows, so that a record costs no system call, and
/// what is written is the page cache's at once, whatever becomes of this process. The room is allocated before it is
/// mapped: a window on a full disk would be a SIGBUS.
///
/// `@unchecked`, because the compiler knows nothing of what pointers point to. Both mappings are this value's own.
struct StateFile: ~Copyable, @unchecked Sendable {
    let descriptor: FileDescriptor
    private let head: UnsafeMutableRawPointer
    private var window = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// Where in the file the window begins.
    private var windowStart = 0
    /// Where the next record goes.
    private(set) var end = Self.headByteCount

    /// The head takes the first page.
    static let headByteCount = 4_096
    /// How much is mapped at a time, and how much room is allocated at a time: little enough that it doesn't matter when it is
    /// left empty, or counts as this process's memory.
    private static let windowByteCount = 1 << 20
    /// What files of this format begin with.
    private static let format: UInt64 = 0x3253_4652_5443_5254  // letters and a version

    /// What the head says, each in 8 bytes.
    enum Field: Int {
        case format
        /// Which of the two files was begun later; 0 for one without records.
        case edition
        /// 1 where all that holds is in this file; 0 where the records of the other file go before.
        case isWhole
        /// Up to where there are complete records. Written after these, so that a process that is killed in the middle of one
        /// leaves nothing of it.
        case end
        /// 1 where not all could be written.
        case isLost
    }

    /// Opens a file, an empty one or one of this format, and takes ownership of its descriptor.
    static func open(_ descriptor: FileDescriptor) throws(StateLogError) -> StateFile {
        let byteCount = Int(lseek(descriptor.rawValue, 0, SEEK_END))
        var file = StateFile(descriptor, head: try mapHead(of: descriptor))
        if byteCount <= 0 { file[.format] = format }
        guard file[.format] == format else {
            throw StateLogError("the log of the state was written by another version of tractfs")
        }
        if file[.edition] == 0 { return file }
        let end = file[.end]
        guard end >= UInt64(headByteCount), end <= UInt64(max(byteCount, 0)), end % 8 == 0 else {
            throw StateLogError("the log of the state is cut off")
        }
        file.end = Int(end)
        return file
    }

    /// The same for who only wants to know what the head says of a file that another process is writing.
    static func openHead(_ descriptor: FileDescriptor) throws(StateLogError) -> StateFile {
        let file = StateFile(descriptor, head: try mapHead(of: descriptor))
        guard file[.format] == format else {
            throw StateLogError("the log of the state was written by another version of tractfs")
        }
        return file
    }

    private static func mapHead(of descriptor: FileDescriptor) throws(StateLogError) -> UnsafeMutableRawPointer {
        let code = posix_fallocate(descriptor.rawValue, 0, headByteCount)
        guard code == 0 else {
            throw StateLogError("there is no room for the log of the state: \(Errno(rawValue: code))")
        }
        let head = mmap(nil, headByteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.rawValue, 0)
        guard let head, head != MAP_FAILED else {
            throw StateLogError("the log of the state can't be mapped: \(Errno(rawValue: errno))")
        }
        return head
    }

    private init(_ descriptor: FileDescriptor, head: UnsafeMutableRawPointer) {
        self.descriptor = descriptor
        self.head = head
    }

    deinit {
        munmap(head, Self.headByteCount)
        if let start = window.baseAddress { munmap(start, window.count) }
        try? descriptor.close()
    }

    subscript(field: Field) -> UInt64 {
        get { tractfs_load_acquire(place(field)) }
        nonmutating set { tractfs_store_release(place(field), newValue) }
    }

    private func place(_ field: Field) -> UnsafeMutablePointer<UInt64> {
        (head + 8 * field.rawValue).assumingMemoryBound(to: UInt64.self)
    }

    // MARK: Writing

    /// Begins the file anew, without records.
    mutating func begin(edition: UInt64, isWhole: Bool) throws(Errno) {
        end = Self.headByteCount
        try makeRoom(for: 1)
        self[.end] = UInt64(end)
        self[.isWhole] = isWhole ? 1 : 0
        self[.edition] = edition
    }

    /// Gives the file's room back. It counts for nothing any more.
    mutating func drop() {
        self[.edition] = 0
        if let start = window.baseAddress { munmap(start, window.count) }
        window = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        end = Self.headByteCount
        ftruncate(descriptor.rawValue, off_t(Self.headByteCount))
    }

    /// Writes a record behind all others.
    mutating func append(_ header: RecordHeader, _ content: RawSpan) throws(Errno) {
        let byteCount = header.recordByteCount
        if end + byteCount > windowStart + window.count { try makeRoom(for: byteCount) }
        let place = UnsafeMutableRawBufferPointer(rebasing: window[(end - windowStart)...])
        place.storeBytes(of: header.words.0, as: UInt64.self)
        place.storeBytes(of: header.words.1, toByteOffset: 8, as: UInt64.self)
        content.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(rebasing: place[RecordHeader.byteCount...]).copyMemory(from: $0)
        }
        end += byteCount
        self[.end] = UInt64(end)
    }

    /// Maps the place where the next record goes.
    private mutating func makeRoom(for byteCount: Int) throws(Errno) {
        if let start = window.baseAddress { munmap(start, window.count) }
        window = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        windowStart = end / Self.headByteCount * Self.headByteCount
        let room = end - windowStart + byteCount
        let windowByteCount = (room + Self.windowByteCount - 1) / Self.windowByteCount * Self.windowByteCount
        let code = posix_fallocate(descriptor.rawValue, off_t(windowStart), off_t(windowByteCount))
        guard code == 0 else { throw Errno(rawValue: code) }
        let start = mmap(
            nil, windowByteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.rawValue, off_t(windowStart))
        guard let start, start != MAP_FAILED else { throw Errno(rawValue: errno) }
        window = UnsafeMutableRawBufferPointer(start: start, count: windowByteCount)
    }
}
