public import FileSystem
public import Namespace
import ObjectStore
public import struct SystemPackage.Errno

/// Responds to the control calls of one mount.
///
/// Any user who can open a folder of the mount can send any bytes. A message has a fixed size, and what the server
/// holds for callers (long responses, listings of trees) is limited in number and in time.
public final class ControlServer: Sendable {
    /// Receives the bytes of a response, or an error for ioctl(2). Called once, on any thread.
    public typealias Completion = @Sendable (Result<[UInt8], Errno>) -> Void

    /// The most tree listings at a time. Each sends as many requests as a walk does at its widest; more would only
    /// delay each other, and readers.
    static let listingCountMax = 4
    /// The most long responses at a time. A report has some hundred kilobytes.
    static let documentCountMax = 4
    /// Commands send requests for a listing or a page many times a second.
    private static let leaseDuration: Duration = .seconds(5)
    /// The limit of S3, in seconds.
    private static let urlLifetimes = 1...604_800

    private struct Document: Sendable {
        let kind: ControlMessage.Kind
        let bytes: [UInt8]
    }

    private let fileSystem: FileSystem
    private let processes: @Sendable () -> MountProcesses
    private let status: (@Sendable () -> MountStatus)?
    private let report: (@Sendable () -> MountReport)?
    private let documents = LeaseTable<Document>(countMax: documentCountMax, duration: leaseDuration)
    private let listings = LeaseTable<TreeListerProgress>(countMax: listingCountMax, duration: leaseDuration) {
        $0.cancel()
    }

    /// Creates a server for the mount of `fileSystem`.
    ///
    /// - Parameters:
    ///   - status: Returns the current status; `nil` if the mount has none.
    ///   - report: Returns the current report, likewise.
    package init(
        fileSystem: FileSystem, processes: @escaping @Sendable () -> MountProcesses,
        status: (@Sendable () -> MountStatus)? = nil, report: (@Sendable () -> MountReport)? = nil
    ) {
        self.fileSystem = fileSystem
        self.processes = processes
        self.status = status
        self.report = report
    }

    /// Responds to a call.
    ///
    /// - Parameters:
    ///   - message: The bytes that the caller has passed.
    ///   - folder: The folder that the call was made on.
    ///   - isOwner: `true` if the caller may decide which files stay in the cache.
    ///   - requester: Returns the user and the groups of the caller. It is called before this method returns.
    ///   - completion: Receives the response, unless the returned fetch is cancelled before.
    /// - Returns: A fetch that the call waits for, if any.
    public func respond(
        to message: UnsafeRawBufferPointer, about folder: InodeID, isOwner: Bool,
        requester: () -> FileSystem.Requester, completion: @escaping Completion
    ) -> PendingFetch? {
        guard let message = ControlMessage(message), message.kind == .request else {
            completion(.failure(.invalidArgument))
            return nil
        }
        let request = try? ControlDocument.decode(ControlRequest.self, from: message.content)
        guard let request, message.version == ControlMessage.currentVersion || request == .processes else {
            completion(.success(ControlMessage(.unsupported, []).bytes))
            return nil
        }
        do throws(Errno) {
            return try respond(to: request, about: folder, isOwner: isOwner, requester: requester, completion)
        } catch {
            completion(.failure(error))
            return nil
        }
    }

    private func respond(
        to request: ControlRequest, about folder: InodeID, isOwner: Bool, requester: () -> FileSystem.Requester,
        _ completion: @escaping Completion
    ) throws(Errno) -> PendingFetch? {
        switch request {
        case .processes: send(processes(), completion)
        case .status:
            guard let status else { throw .inappropriateIOCTLForDevice }
            send(status(), completion)
        case .report:
            guard let report else { throw .inappropriateIOCTLForDevice }
            send(report(), completion)
        case .page(let token, let offset):
            completion(.success(try page(of: token, offset: offset)))
        case .beginTreeListing:
            send(try listings.insert { () throws(Errno) in try fileSystem.listTree(folder) }, completion)
        case .treeListingProgress(let token):
            send(try progress(of: token), completion)
        case .refresh(let isRecursive):
            fileSystem.refresh(folder, isRecursive ? .tree : .directory) { [self] errno in
                send(errno.map { .failure($0) } ?? .success(ControlRequest.Done()), completion)
            }
        case .presign(let name, let lifetime):
            guard ControlServer.urlLifetimes.contains(lifetime) else { throw .invalidArgument }
            fileSystem.presign(name, in: folder, lifetime: lifetime, for: requester()) { [self] result in
                send(result.map { PresignedResponse($0) }, completion)
            }
        case .cacheRoom:
            fileSystem.cacheRoom { [self] in send($0, completion) }
        case .release(let name):
            guard isOwner else { throw .notPermitted }
            fileSystem.release(name, in: folder) { [self] in send($0, completion) }
        case .fetch(let request):
            if request.actions.contains(.keep), !isOwner { throw .notPermitted }
            return fileSystem.fetch(request, in: folder, for: requester()) { [self] in send($0, completion) }
        }
        return nil
    }

    private func progress(of token: UInt64) throws(Errno) -> TreeListingProgress {
        let progress = TreeListingProgress(try listings.renew(token))
        if progress.isDone { listings.remove(token) }
        return progress
    }

    // MARK: Responses

    private func send(_ value: some Encodable, _ completion: Completion) {
        send(value, .response, completion)
    }

    private func send(_ result: Result<some Encodable, Errno>, _ completion: Completion) {
        switch result {
        case .success(let value): send(value, completion)
        case .failure(let errno): completion(.failure(errno))
        }
    }

    private func send(_ result: Result<some Encodable, FileSystem.Failure>, _ completion: Completion) {
        switch result {
        case .success(let value): send(value, completion)
        case .failure(let failure) where failure.reason.isEmpty: completion(.failure(failure.errno))
        case .failure(let failure): send(failure, .failure, completion)
        }
    }

    private func send(_ value: some Encodable, _ kind: ControlMessage.Kind, _ completion: Completion) {
        do throws(Errno) {
            // Fails for no type of ours.
            guard let bytes = try? ControlDocument.encode(value) else { throw .ioError }
            if bytes.count <= ControlMessage.contentByteCountMax {
                return completion(.success(ControlMessage(kind, bytes).bytes))
            }
            let document = Document(kind: kind, bytes: bytes)
            completion(.success(try page(of: documents.insert { document }, offset: 0)))
        } catch {
            completion(.failure(error))
        }
    }

    private func page(of token: UInt64, offset: Int) throws(Errno) -> [UInt8] {
        let document = try documents.renew(token)
        guard (0...document.bytes.count).contains(offset) else { throw .invalidArgument }
        let end = min(offset + ControlMessage.contentByteCountMax, document.bytes.count)
        if end == document.bytes.count { documents.remove(token) }
        return ControlMessage(
            document.kind, Array(document.bytes[offset..<end]), documentByteCount: document.bytes.count, token: token
        ).bytes
    }
}
