public import ObjectStore
public import SystemSupport

extension S3Client: ObjectURLSource {
    /// The maximum lifetime of a URL, in seconds.
    public static var urlLifetimeMax: Int { URLValidity.lifetimeMax }

    /// Creates a URL, signed like requests at this time. See `ObjectURLSource`.
    ///
    /// The signature needs the region of the bucket and valid credentials. If one of them is not certain, a listing of
    /// one key is requested first, which determines both like any other request.
    public func makeURL(
        of key: Key, lifetime: Int, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ObjectURL, StoreError>) -> Void
    ) {
        if context.configuration.customerKey != nil {
            return completion(.failure(StoreError(.refused, Self.customerKeyRefusal)))
        }
        context.bucketSession?.retireOld()
        if context.isRegionVerified, let url = context.url(of: key, lifetime: lifetime) {
            return completion(.success(url))
        }
        let prefix = listsInOrder ? key : key.folderPrefix
        list(ListRequest(prefix: prefix, isDelimited: true, limit: 1), deadline: deadline) { [context] result in
            completion(Result { () throws(StoreError) in try context.url(of: key, lifetime: lifetime, after: result) })
        }
    }

    private static let customerKeyRefusal =
        "objects with a key of your own (SSE-C) cannot be read by a URL alone: each request must send the key"
}

extension ClientContext {
    /// Returns a URL that is signed now; `nil` if there are no valid credentials yet.
    fileprivate func url(of key: Key, lifetime: Int) -> ObjectURL? {
        guard let credentials else { return url(of: key, lifetime: lifetime, signedWith: nil) }
        guard let resolved = credentials.inUse(), resolved.expiry.map({ $0 > Timestamp.now }) ?? true else {
            return nil
        }
        return url(of: key, lifetime: lifetime, signedWith: resolved)
    }

    /// Returns a URL after a request to the bucket.
    fileprivate func url(
        of key: Key, lifetime: Int, after answer: Result<ListPage, StoreError>
    ) throws(StoreError) -> ObjectURL {
        do throws(StoreError) {
            _ = try answer.get()
        } catch {
            // Credentials may allow GET but not list. The bucket's own region has refused the listing, so the region is
            // right.
            if error.code != .accessDenied { throw error }
        }
        guard let url = url(of: key, lifetime: lifetime) else {
            throw StoreError(.credentialsExpired, "the credentials have expired; renew them at their source")
        }
        return url
    }

    private func url(of key: Key, lifetime: Int, signedWith resolved: ResolvedCredentials?) -> ObjectURL {
        let (address, region, time) = target()
        var request = HTTPRequest(host: address.host, path: address.path(of: key))
        // The URL is used without headers. S3 accepts these fields in the query as well.
        request.query = commonHeaders.map { QueryItem($0.name, $0.value) }
        guard let resolved else { return ObjectURL(text: address.url(of: request), expiry: nil, constraint: nil) }
        let purpose = resolved.credentials.purpose
        let signer = Signer(credentials: resolved.credentials, region: region, service: purpose.service, time: time)
        let validity = URLValidity(signedAt: time, localTime: .now, lifetime: lifetime, with: resolved)
        // A signature must not outlive the session that it was made with.
        let lifetime = purpose == .bucketSession ? max(1, validity.expiry.seconds - time.seconds) : lifetime
        return ObjectURL(
            text: address.url(of: signer.presigned(request, lifetime: lifetime)), expiry: validity.expiry,
            constraint: validity.constraint)
    }
}
