import CLinux
import Glibc
import SystemPackage

/// One of the log's two files: a head, followed by records.
///
/// Records are written through a mapped window that moves as the file grows. So a record costs no system call, and
/// written bytes belong to the page cache at once, whatever happens to this process. Space is allocated before it is
/// mapped: otherwise a full disk would cause SIGBUS.
///
/// `@unchecked`, because the compiler can't check the pointers. This value owns both mappings.
struct StateFile: ~Copyable, @unchecked Sendable {
    let descriptor: FileDescriptor
    private let head: UnsafeMutableRawPointer
    private var window = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// The offset of the window in the file.
    private var windowStart = 0
    /// The offset of the next record.
    private(set) var end = Self.headByteCount

    /// The size of the head: the first page.
    static let headByteCount = 4_096
    /// The unit of mapping and of allocation. Small enough that unused space, and its share in this process's memory,
    /// don't matter.
    private static let windowByteCount = 1 << 20
    /// The magic number and format at the beginning of files.
    private static let format: UInt64 = 0x3253_4652_5443_5254  // letters and a version

    /// The fields of the head, 8 bytes each.
    enum Field: Int {
        case format
        /// The sequence number of this file; the higher of the two is the newer file. 0 for a file without records.
        case edition
        /// 1 if this file contains the complete state; 0 if the records of the other file precede it.
        case isWhole
        /// The end of the complete records. It is updated after they are written, so a process that is killed within a
        /// record leaves no trace of that record.
        case end
        /// 1 if a record is missing, because it could not be written.
        case isLost
    }

    /// Opens a file, either empty or of this format, and takes ownership of its descriptor.
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

    /// Opens a file that another process is writing, only to read its head.
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

    /// Resets the file to one without records.
    mutating func begin(edition: UInt64, isWhole: Bool) throws(Errno) {
        end = Self.headByteCount
        try makeRoom(for: 1)
        self[.end] = UInt64(end)
        self[.isWhole] = isWhole ? 1 : 0
        self[.edition] = edition
    }

    /// Frees the file's space and marks it unused.
    mutating func drop() {
        self[.edition] = 0
        if let start = window.baseAddress { munmap(start, window.count) }
        window = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        end = Self.headByteCount
        ftruncate(descriptor.rawValue, off_t(Self.headByteCount))
    }

    /// Appends a record.
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

    /// Maps the position of the next record.
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
