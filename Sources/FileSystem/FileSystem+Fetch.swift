public import BlockCache
import Namespace
import ObjectStore
import Reader
public import struct SystemPackage.Errno

/// Files in the disk cache, as `tractfs warm` asks for them.
extension FileSystem {
    /// Tells of a file in an open directory how much of it is in the disk cache, or brings a piece of it there.
    ///
    /// Nothing of this is remembered between two calls: who wants all of a file asks again for what is missing.
    ///
    /// - Parameters:
    ///   - asker: Who may read the file may have it fetched.
    ///   - completion: Called once, under no lock, unless the wait is cancelled first. Where there is no disk cache the failure is
    ///     ENODEV; where others need the memory EAGAIN; where the cache has no room ENOSPC, or EDQUOT if that is because of what is
    ///     kept; where the object isn't the version that was asked for ESTALE.
    /// - Returns: What to cancel it with.
    public func fetch(
        _ question: FetchQuestion, in handle: Handle, for asker: Asker,
        completion: @escaping @Sendable (Result<FetchAnswer, Failure>) -> Void
    ) -> FetchWait {
        let wait = FetchWait()
        do throws(Errno) {
            guard let directory = directories[handle]?.directory.inode else { throw .badFileDescriptor }
            guard options.ownership.allowsReading(by: asker) else { throw .permissionDenied }
            let disk = try diskCache()
            let name = try validated(question.name)
            find(name, in: directory) { [reader] result in
                do throws(Failure) {
                    guard case .file(let object) = try result.get().kind else { throw Failure(errno: .isDirectory) }
                    Fetch(question, of: object.version, in: disk, wait: wait, completion: completion).begin(reader)
                } catch {
                    completion(.failure(error))
                }
            }
        } catch {
            completion(.failure(Failure(errno: error)))
        }
        return wait
    }

    /// How much the disk cache can hold.
    public func cacheRoom(completion: @escaping @Sendable (Result<DiskCache.Room, Errno>) -> Void) {
        do throws(Errno) {
            try diskCache().room(completion: completion)
        } catch {
            completion(.failure(error))
        }
    }

    /// Has evictions take again what they were to leave.
    ///
    /// - Parameter name: A file in the open directory, all versions of which are meant; empty for all that is below the directory.
    public func release(
        _ name: [UInt8], in handle: Handle, completion: @escaping @Sendable (Result<DiskCache.Release, Errno>) -> Void
    ) {
        do throws(Errno) {
            guard let folder = directories[handle]?.directory.inode.key else { throw .badFileDescriptor }
            let key = name.isEmpty ? folder : folder.appending(try validated(name).bytes)
            try diskCache().release(where: { name.isEmpty ? $0.hasPrefix(key) : $0 == key }, completion: completion)
        } catch {
            completion(.failure(error))
        }
    }

    private func diskCache() throws(Errno) -> DiskCache {
        guard let disk = reader.diskCache else { throw .operationNotSupportedByDevice }
        return disk
    }
}

/// One question on its way.
private struct Fetch: Sendable {
    let question: FileSystem.FetchQuestion
    let version: ObjectVersion
    let disk: DiskCache
    let wait: FetchWait
    let completion: @Sendable (Result<FileSystem.FetchAnswer, FileSystem.Failure>) -> Void

    init(
        _ question: FileSystem.FetchQuestion, of version: ObjectVersion, in disk: DiskCache, wait: FetchWait,
        completion: @escaping @Sendable (Result<FileSystem.FetchAnswer, FileSystem.Failure>) -> Void
    ) {
        self.question = question
        self.version = version
        self.disk = disk
        self.wait = wait
        self.completion = completion
    }

    func begin(_ reader: Reader) {
        let answer = FileSystem.FetchAnswer(version: disk.number(of: version), byteCount: version.byteCount)
        guard question.version == 0 || question.version == answer.version else { return fail(.staleNFSFileHandle) }
        let range = question.range.clamped(to: 0..<version.byteCount)
        guard question.actions.contains(.fetch), version.byteCount > 0 else {
            let there = disk.look(at: version, isUse: question.actions.contains(.use))
            return completion(.success(FileSystem.FetchAnswer(answer, there, end: range.upperBound)))
        }
        guard !range.isEmpty, range.lowerBound.isMultiple(of: Block.byteCount) else { return fail(.invalidArgument) }
        let object = reader.open(version)
        guard let diskObject = object.diskObject else { return fail(.operationNotSupportedByDevice) }
        do throws(Errno) {
            if question.actions.contains(.keep), try !diskObject.pin() { return fail(Errno.diskQuotaExceeded) }
        } catch {
            return fail(error == .resourceTemporarilyUnavailable ? error : .ioError)
        }
        guard question.actions.contains(.verify) else { return fetch(range, of: object, answer) }
        diskObject.check(Block.indices(covering: range)) { damagedBlockCount in
            guard let damagedBlockCount else { return fail(.ioError) }
            var answer = answer
            answer.damagedBlockCount = damagedBlockCount
            fetch(range, of: object, answer)
        }
    }

    private func fetch(_ range: Range<Int>, of object: ObjectReader, _ answer: FileSystem.FetchAnswer) {
        if wait.isCancelled { return }
        // The object stays open until the completion is let go of.
        let read = object.fetchToDisk(range) { [object] result in
            withExtendedLifetime(object) { end(result, answer) }
        }
        wait.wait(for: read)
    }

    private func end(_ result: Result<FetchOutcome, StoreError>, _ answer: FileSystem.FetchAnswer) {
        var answer = answer
        switch result {
        case .success(.present(let end, let fetchedByteCount)):
            (answer.end, answer.fetchedByteCount) = (end, fetchedByteCount)
            completion(.success(answer))
        // It was checked, which needn't be done again.
        case .success(.notNow) where question.actions.contains(.verify):
            answer.end = question.range.lowerBound
            completion(.success(answer))
        case .success(.notNow): fail(.resourceTemporarilyUnavailable)
        case .success(.noRoom): fail(.noSpace)
        case .success(.failing): fail(.ioError)
        case .failure(let error):
            completion(.failure(FileSystem.Failure(errno: Errno(error, isOpen: true), reason: "\(error)")))
        }
    }

    private func fail(_ errno: Errno) {
        completion(.failure(FileSystem.Failure(errno: errno)))
    }
}

extension FileSystem.FetchAnswer {
    fileprivate init(version: UInt64, byteCount: Int) {
        self.init()
        self.version = version
        self.byteCount = byteCount
    }

    fileprivate init(_ answer: FileSystem.FetchAnswer, _ there: DiskCache.CachedObject, end: Int) {
        self = answer
        self.end = end
        allocatedByteCount = there.allocatedByteCount
        cachedByteCount = there.cachedByteCount
        isKept = there.isPinned
    }
}
