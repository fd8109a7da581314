public import Namespace
import ObjectStore
public import struct SystemPackage.Errno
import SystemSupport

/// URLs for files.
extension FileSystem {
    /// The validity of the URL in an extended attribute, in seconds: the default of the AWS CLI.
    static let attributeURLLifetime = 3_600
    /// The time limit for making a URL, which may need a request first.
    static let urlTimeout: Duration = .seconds(10)

    /// Returns `true` if `presignedURLAttribute` provides the value of an attribute, since that may have to wait.
    public func isPresignedURL(attribute name: String) -> Bool {
        options.hasPresignedURLAttribute && name == ExtendedAttribute.presignedURL.rawValue
    }

    /// Returns the value of the extended attribute that is a URL (FUSE_GETXATTR).
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

    /// Signs a URL for a file of a directory.
    ///
    /// - Parameters:
    ///   - lifetime: The validity of the URL, in seconds.
    ///   - requester: Must have permission to read the file.
    public func presign(
        _ name: some Collection<UInt8>, in id: InodeID, lifetime: Int, for requester: Requester,
        completion: @escaping @Sendable (Result<PresignedFile, Failure>) -> Void
    ) {
        do throws(Errno) {
            let directory = try directory(id)
            guard options.ownership.allowsReading(by: requester) else { throw .permissionDenied }
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

    /// Looks up a name without a lookup count of the kernel.
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
                completion(.failure(Failure(error, isOpen: false)))
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
                    .mapError { Failure($0, isOpen: false) })
        }
    }
}
