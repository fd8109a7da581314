/// The record of opens and reads.
extension FileSystem {
    /// Notes that the kernel reads an open file's local file directly.
    public func noteLocalReading(_ handle: Handle) {
        files[handle]?.access?.noteLocalOpen()
    }

    /// The number of times that files were opened.
    public var totalOpenCount: Int { accesses.totalOpenCount }

    /// The most files that are recorded individually.
    public static var recordedFileCountMax: Int { AccessRecord.fileCountMax }

    /// The opens and reads of files since the start.
    public var accessSnapshot: AccessSnapshot { accesses.snapshot }
}
