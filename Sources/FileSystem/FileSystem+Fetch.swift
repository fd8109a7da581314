public import BlockCache
public import Namespace
import ObjectStore
import Reader
public import struct SystemPackage.Errno

/// Files in the disk cache, for `tractfs warm`.
extension FileSystem {
    /// Looks up a file of a directory in the disk cache, or fetches a part of it.
    ///
    /// The server holds no state between two calls: the caller requests the missing bytes again.
    ///
    /// - Parameters:
    ///   - requester: Must have permission to read the file.
    ///   - completion: Called once, under no lock, unless the fetch is cancelled first. It fails with ENODEV without a
    ///     disk cache, EAGAIN while readers need the memory, ENOSPC if the cache is full, EDQUOT if too much is pinned,
    ///     and ESTALE if the object has another version than requested.
    public func fetch(
        _ request: FetchRequest, in id: InodeID, for requester: Requester,
        completion: @escaping @Sendable (Result<FetchResponse, Failure>) -> Void
    ) -> PendingFetch {
        let pending = PendingFetch()
        do throws(Errno) {
            let directory = try directory(id)
            guard options.ownership.allowsReading(by: requester) else { throw .permissionDenied }
            let disk = try diskCache()
            let name = try validated(request.name)
            find(name, in: directory) { [reader] result in
                do throws(Failure) {
                    guard case .file(let object) = try result.get().kind else { throw Failure(errno: .isDirectory) }
                    Fetch(request, of: object.version, in: disk, pending: pending, completion: completion).begin(reader)
                } catch {
                    completion(.failure(error))
                }
            }
        } catch {
            completion(.failure(Failure(errno: error)))
        }
        return pending
    }

    /// Computes the capacity of the disk cache.
    public func cacheRoom(completion: @escaping @Sendable (Result<DiskCache.Room, Errno>) -> Void) {
        do throws(Errno) {
            try diskCache().room(completion: completion)
        } catch {
            completion(.failure(error))
        }
    }

    /// Unpins files.
    ///
    /// - Parameter name: A file of the directory, in all its versions; everything below the directory if empty.
    public func release(
        _ name: [UInt8], in id: InodeID, completion: @escaping @Sendable (Result<DiskCache.Release, Errno>) -> Void
    ) {
        do throws(Errno) {
            let folder = try directory(id).key
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

/// One fetch.
private struct Fetch: Sendable {
    let request: FileSystem.FetchRequest
    let version: ObjectVersion
    let disk: DiskCache
    let pending: PendingFetch
    let completion: @Sendable (Result<FileSystem.FetchResponse, FileSystem.Failure>) -> Void

    init(
        _ request: FileSystem.FetchRequest, of version: ObjectVersion, in disk: DiskCache, pending: PendingFetch,
        completion: @escaping @Sendable (Result<FileSystem.FetchResponse, FileSystem.Failure>) -> Void
    ) {
        self.request = request
        self.version = version
        self.disk = disk
        self.pending = pending
        self.completion = completion
    }

    func begin(_ reader: Reader) {
        let response = FileSystem.FetchResponse(version: disk.number(of: version), byteCount: version.byteCount)
        guard request.version == 0 || request.version == response.version else { return fail(.staleNFSFileHandle) }
        let range = request.range.clamped(to: 0..<version.byteCount)
        guard request.actions.contains(.fetch), version.byteCount > 0 else {
            let there = disk.look(at: version, isUse: request.actions.contains(.use))
            return completion(.success(FileSystem.FetchResponse(response, there, end: range.upperBound)))
        }
        guard !range.isEmpty, range.lowerBound.isMultiple(of: Block.byteCount) else { return fail(.invalidArgument) }
        let object = reader.open(version)
        guard let diskObject = object.diskObject else { return fail(.operationNotSupportedByDevice) }
        do throws(Errno) {
            if request.actions.contains(.keep), try !diskObject.pin() { return fail(Errno.diskQuotaExceeded) }
        } catch {
            return fail(error == .resourceTemporarilyUnavailable ? error : .ioError)
        }
        guard request.actions.contains(.verify) else { return fetch(range, of: object, response) }
        diskObject.check(Block.indices(covering: range)) { damagedBlockCount in
            guard let damagedBlockCount else { return fail(.ioError) }
            var response = response
            response.damagedBlockCount = damagedBlockCount
            fetch(range, of: object, response)
        }
    }

    private func fetch(_ range: Range<Int>, of object: ObjectReader, _ response: FileSystem.FetchResponse) {
        if pending.isCancelled { return }
        // Keeps the object open until the read has ended.
        let read = object.fetchToDisk(range) { [object] result in
            withExtendedLifetime(object) { end(result, response) }
        }
        pending.wait(for: read)
    }

    private func end(_ result: Result<FetchOutcome, StoreError>, _ response: FileSystem.FetchResponse) {
        var response = response
        switch result {
        case .success(.present(let end, let fetchedByteCount)):
            (response.end, response.fetchedByteCount) = (end, fetchedByteCount)
            completion(.success(response))
        // Reports the check, so that it isn't repeated.
        case .success(.notNow) where request.actions.contains(.verify):
            response.end = request.range.lowerBound
            completion(.success(response))
        case .success(.notNow): fail(.resourceTemporarilyUnavailable)
        case .success(.noRoom): fail(.noSpace)
        case .success(.failing): fail(.ioError)
        case .failure(let error):
            completion(.failure(FileSystem.Failure(error, isOpen: true)))
        }
    }

    private func fail(_ errno: Errno) {
        completion(.failure(FileSystem.Failure(errno: errno)))
    }
}

extension FileSystem.FetchResponse {
    fileprivate init(version: UInt64, byteCount: Int) {
        self.init()
        self.version = version
        self.byteCount = byteCount
    }

    fileprivate init(_ response: FileSystem.FetchResponse, _ there: DiskCache.CachedObject, end: Int) {
        self = response
        self.end = end
        allocatedByteCount = there.allocatedByteCount
        cachedByteCount = there.cachedByteCount
        isKept = there.isPinned
    }
}
