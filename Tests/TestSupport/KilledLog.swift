import CLinux
public import Logging
public import StateLog
public import SystemPackage

/// The log of a server that was killed at this moment, as the next one gets it. The server itself lives on with its
/// own.
public func logAfterKill(
    of log: StateLog, rewriteByteCountMin: Int = StateLog.rewriteByteCountMin,
    logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
) throws -> StateLog {
    try StateLog(
        inheriting: filesAfterKill(of: log), rewriteByteCountMin: rewriteByteCountMin, logger: logger)
}

/// Copies the files of a log, which may be compacted meanwhile, but not written.
public func filesAfterKill(of log: StateLog) throws -> [FileDescriptor] {
    // They are open as long as the log is there.
    defer { withExtendedLifetime(log) {} }
    let files = log.descriptors
    while true {
        let standings = try files.map(standing)
        let copies = try files.map(copy)
        // Else it was just whole, and one of the files was given back.
        if try files.map(standing) == standings { return copies }
        for copy in copies { try copy.close() }
    }
}

/// Returns the part of a file's head that names its edition and shows if the file is whole.
private func standing(of file: FileDescriptor) throws -> [UInt8] {
    try bytes(of: file, 8..<24)
}

private func copy(of file: FileDescriptor) throws -> FileDescriptor {
    let copy = FileDescriptor(rawValue: tractfs_open_memory("tractfs-test"))
    // The head first: it says how much of the rest counts.
    for range in try [0..<4_096, 4_096..<max(4_096, Int(file.seek(offset: 0, from: .end)))] {
        try copy.writeAll(toAbsoluteOffset: Int64(range.lowerBound), bytes(of: file, range))
    }
    return copy
}

private func bytes(of file: FileDescriptor, _ range: Range<Int>) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
        count = try file.read(
            fromAbsoluteOffset: Int64(range.lowerBound), into: UnsafeMutableRawBufferPointer(buffer))
    }
}
