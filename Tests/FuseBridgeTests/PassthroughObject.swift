import BlockCache
import CFuse
import Foundation
import ObjectStore
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// The condition for tests that register backing files with the kernel.
let passesThrough = ConditionTrait.enabled(
    if: passthroughAvailable, "needs root, Linux 6.9 or later, and a temporary folder that is not on overlayfs")

/// An object, and a backing file of the same size but with other bytes, which show the source of a read.
final class PassthroughObject: Sendable {
    static let key: Key = "f"
    /// A size that is neither a multiple of pages nor of blocks.
    static let byteCount = 300_001

    let store = InMemoryStore()
    let storeBytes = ObjectBody.pattern(seed: 1, byteCount: byteCount).allBytes
    let localBytes = ObjectBody.pattern(seed: 2, byteCount: byteCount).allBytes
    let localPath: String
    private let currentPath: Mutex<String?>

    init(in directory: String) throws {
        localPath = directory + "/local"
        currentPath = Mutex(localPath)
        try Data(localBytes).write(to: URL(fileURLWithPath: localPath))
        store.put(PassthroughObject.key, .bytes(storeBytes))
    }

    /// Sets the file that opens get from now on.
    func setLocalFile(_ path: String?) {
        currentPath.withLock { $0 = path }
    }

    private var localFile: CompleteFile? {
        guard let path = currentPath.withLock({ $0 }) else { return nil }
        return (try? open(path)).map { CompleteFile(takingOwnershipOf: $0) }
    }

    /// Mounts the object, and calls `body` with its path.
    static func withMount(_ body: (PassthroughObject, String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let object = try PassthroughObject(in: directory)
            try withServedMount(
                of: object.store,
                localFiles: { _, completion in
                    completion(.success(object.localFile))
                    return nil
                }
            ) { mount in try body(object, mount.path + "/f") }
        }
    }
}

func open(_ path: String, direct: Bool = false) throws -> FileDescriptor {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | (direct ? TRACTFS_O_DIRECT : 0))
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    return FileDescriptor(rawValue: descriptor)
}

/// Returns the bytes of an open file from `offset` on.
func bytes(of file: FileDescriptor, from offset: Int = 0) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try withUnsafeTemporaryAllocation(byteCount: 1 << 20, alignment: 4_096) { buffer in
        while true {
            let count = try file.read(fromAbsoluteOffset: Int64(offset + bytes.count), into: buffer)
            if count == 0 { return }
            bytes += buffer[..<count]
        }
    }
    return bytes
}

func bytes(at path: String) throws -> [UInt8] {
    let file = try open(path)
    return try file.closeAfter { try bytes(of: file) }
}

/// Returns the bytes of an open file, mapped with `flags`.
func mappedBytes(of file: FileDescriptor, _ flags: Int32) throws -> [UInt8] {
    let address = mmap(nil, PassthroughObject.byteCount, PROT_READ, flags, file.rawValue, 0)
    guard let address, address != MAP_FAILED else { throw Errno(rawValue: errno) }
    defer { munmap(address, PassthroughObject.byteCount) }
    return Array(UnsafeRawBufferPointer(start: address, count: PassthroughObject.byteCount))
}
