import BlockCache
import Foundation
import Logging
import Namespace
import ObjectStore
import Reader
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import FileSystem
@testable import FuseBridge

/// For tests that mount: they need /dev/fuse.
let mounts = ConditionTrait.enabled(if: fuseAvailable, Comment(rawValue: fuseMissing))

/// A mount that this process serves.
struct ServedMount {
    let path: String
    let session: FuseSession
    let namespace: Namespace
}

/// Mounts what `store` holds, with `localFiles` in the place of a disk cache. Whatever `body` does, nothing stays.
func withServedMount<Result>(
    of store: InMemoryStore, timeToLive: TimeToLive = .forever, logger: Logger = LogLines().logger,
    localFiles: @escaping FileSystem.LocalFileSource = { _, completion in
        completion(.success(nil))
        return nil
    },
    _ body: (ServedMount) throws -> Result
) throws -> Result {
    try withTemporaryDirectory { directory in
        let path = directory + "/mount"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let namespace = Namespace(
            store: store, root: "", timeToLive: timeToLive, requestTimeout: .seconds(10), metadataByteLimit: 64 << 20,
            logger: logger)
        let session = FuseSession(
            fileSystem: try fileSystem(of: namespace, on: store, logger: logger, localFiles: localFiles),
            logger: logger)
        let device = try MountedDevice.mount(
            at: MountPoint(checking: path), MountedDevice.Options(source: "test", allowsOthers: false))
        let end = serve(session, on: device)
        let result = Swift.Result { try body(ServedMount(path: path, session: session, namespace: namespace)) }
        // Whatever the test holds back is let go, so that no reader is left waiting.
        store.releaseAll()
        try Unmount.detach(path)
        session.end()
        try eventually("the end of the session") { end.withLock { $0 } }
        return try result.get()
    }
}

/// A flag that another thread sets.
private final class Flag: Sendable {
    private let value = Mutex(false)

    func withLock<Result>(_ body: (inout Bool) -> Result) -> Result {
        value.withLock { body(&$0) }
    }
}

/// Serves on a thread of its own.
private func serve(_ session: FuseSession, on device: consuming MountedDevice) -> Flag {
    let end = Flag()
    let handedOver = DeviceBox(device)
    Thread.detachNewThread {
        if let device = handedOver.take() {
            do { try session.run(on: device) {} } catch { Issue.record(error) }
        }
        end.withLock { $0 = true }
    }
    return end
}

/// Carries a device to another thread: closures can't.
private final class DeviceBox: Sendable {
    private let device: Mutex<MountedDevice?>

    init(_ device: consuming MountedDevice) {
        self.device = Mutex(device)
    }

    func take() -> MountedDevice? {
        device.withLock { $0.take() }
    }
}

private func fileSystem(
    of namespace: Namespace, on store: InMemoryStore, logger: Logger, localFiles: @escaping FileSystem.LocalFileSource
) throws -> FileSystem {
    FileSystem(
        namespace: namespace,
        reader: Reader(
            store: store, cache: try BlockCache(byteLimit: BlockCache.minimumByteLimit),
            limits: ReaderLimits(readTimeout: .seconds(10))),
        options: FileSystem.Options(
            bucket: "bucket",
            ownership: Ownership(
                userID: geteuid(), groupID: getegid(), filePermissions: 0o444, directoryPermissions: 0o555),
            mountTime: Timestamp(seconds: 0), hasExtendedAttributes: false),
        logger: logger, localFiles: localFiles)
}
