public import Namespace
import ObjectStore
public import struct SystemPackage.Errno
import SystemSupport

/// URLs for files.
extension FileSystem {
    /// How long the URL of an extended attribute works, in seconds: as long as the AWS CLI's, if nothing is said.
    static let attributeURLLifetime = 3_600
    /// How long making a URL may take, where something must be asked for before.
    static let urlTimeout: Duration = .seconds(10)

    /// Whether an extended attribute of this name is to be asked for by `presignedURLAttribute`, because it may have to wait.
    public func isPresignedURL(attribute name: String) -> Bool {
        options.hasPresignedURLAttribute && name == ExtendedAttribute.presignedURL.rawValue
    }

    /// The value of the extended attribute that is a URL (FUSE_GETXATTR).
    public func presignedURLAttribute(
        of id: InodeID, completion: @escaping @Sendable (Result<[UInt8], Errno>) -> Void
    ) {
        do throws(Errno) {
            let inode = try inode(id)
            guard hasPresignedURL(inode) else { throw .noData }
            presign(inode, lifetime: Self.attributeURLLifetime) { result in
                completion(result.map { Array($0.url.text.utf8) }.mapError(\.errno))
            }
        } catch {
            completion(.failure(error))
        }
    }

    /// A URL for a file in an open directory.
    ///
    /// - Parameters:
    ///   - lifetime: For how many seconds.
    ///   - asker: Who gets it. Who may read the file may have its URL.
    public func presign(
        _ name: some Collection<UInt8>, in handle: Handle, lifetime: Int, for asker: Asker,
        completion: @escaping @Sendable (Result<PresignedFile, Failure>) -> Void
    ) {
        do throws(Errno) {
            guard let directory = directories[handle]?.directory.inode else { throw .badFileDescriptor }
            guard options.ownership.allowsReading(by: asker) else { throw .permissionDenied }
            let name = try validated(name)
            find(name, in: directory) { [self] result in
                switch result {
                case .success(let inode): presign(inode, lifetime: lifetime, completion: completion)
                case .failure(let failure): completion(.failure(failure))
                }
            }
        } catch {
            completion(.failure(Failure(errno: error)))
        }
    }

    /// Looks up a name for us, not for the kernel.
    func find(
        _ name: Name, in directory: Inode, completion: @escaping @Sendable (Result<Inode, Failure>) -> Void
    ) {
        namespace.lookup(name, in: directory) { [namespace] result in
            switch result {
            case .success(let found):
                guard let inode = found.inode else {
                    return completion(.failure(Failure(errno: .noSuchFileOrDirectory)))
                }
                namespace.forget(inode.id, count: 1)
                completion(.success(inode))
            case .failure(let error):
                completion(.failure(Failure(errno: Errno(error, isOpen: false), reason: "\(error)")))
            }
        }
    }

    func hasPresignedURL(_ inode: Inode) -> Bool {
        options.hasPresignedURLAttribute && inode.kind != .directory
    }

    private func presign(
        _ inode: Inode, lifetime: Int, completion: @escaping @Sendable (Result<PresignedFile, Failure>) -> Void
    ) {
        guard case .file(let object) = inode.kind else { return completion(.failure(Failure(errno: .isDirectory))) }
        guard let urls = options.urls else { return completion(.failure(Failure(errno: .notSupported))) }
        let version = object.version
        urls.makeURL(of: version.key, lifetime: lifetime, deadline: .now + Self.urlTimeout) { result in
            completion(
                result.map { PresignedFile(key: version.key, byteCount: version.byteCount, url: $0) }
                    .mapError { Failure(errno: Errno($0, isOpen: false), reason: "\($0)") })
        }
    }
}
