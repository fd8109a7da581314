public import ObjectStore
public import SystemSupport

extension S3Client: ObjectURLSource {
    /// The longest time that a URL may work, in seconds.
    public static var urlLifetimeMax: Int { URLValidity.lifetimeMax }

    /// Makes a URL, signed as requests are now. See `ObjectURLSource`.
    ///
    /// What must be known before is which region to sign for, and that there are valid credentials. Where that isn't sure, a
    /// listing of one key is asked for, which finds out both as for every other request.
    public func makeURL(
        of key: Key, lifetime: Int, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ObjectURL, StoreError>) -> Void
    ) {
        if context.configuration.customerKey != nil {
            return completion(.failure(StoreError(.refused, Self.customerKeyRefusal)))
        }
        context.bucketSession?.retireOld()
        if context.isRegionProven, let url = context.url(of: key, lifetime: lifetime) {
            return completion(.success(url))
        }
        let prefix = listsInOrder ? key : key.folderPrefix
        list(ListRequest(prefix: prefix, isDelimited: true, limit: 1), deadline: deadline) { [context] result in
            completion(Result { () throws(StoreError) in try context.url(of: key, lifetime: lifetime, after: result) })
        }
    }

    private static let customerKeyRefusal =
        "objects that are encrypted with a key of your own (SSE-C) can't be had by a URL alone: each request must bring the key"
}

extension ClientContext {
    /// A URL that is signed now; `nil` where there is nothing valid to sign with yet.
    fileprivate func url(of key: Key, lifetime: Int) -> ObjectURL? {
        guard let credentials else { return url(of: key, lifetime: lifetime, signedWith: nil) }
        guard let resolved = credentials.inUse(), resolved.expiry.map({ $0 > Timestamp.now }) ?? true else {
            return nil
        }
        return url(of: key, lifetime: lifetime, signedWith: resolved)
    }

    /// A URL after something was asked of the bucket.
    fileprivate func url(
        of key: Key, lifetime: Int, after answer: Result<ListPage, StoreError>
    ) throws(StoreError) -> ObjectURL {
        do throws(StoreError) {
            _ = try answer.get()
        } catch {
            // Keys that may get but not list are good enough, and it is the bucket's own region that says so.
            if error.code != .accessDenied { throw error }
        }
        guard let url = url(of: key, lifetime: lifetime) else {
            throw StoreError(.credentialsExpired, "the credentials have ended; renew them where they come from")
        }
        return url
    }

    private func url(of key: Key, lifetime: Int, signedWith resolved: ResolvedCredentials?) -> ObjectURL {
        let (address, region, time) = place()
        var request = HTTPRequest(host: address.host, path: address.path(of: key))
        // Whoever uses the URL sends no headers: S3 takes these from the query as well.
        request.query = agreements.map { QueryItem($0.name, $0.value) }
        guard let resolved else { return ObjectURL(text: address.url(of: request), expiry: nil, constraint: nil) }
        let purpose = resolved.credentials.purpose
        let signer = Signer(credentials: resolved.credentials, region: region, service: purpose.service, time: time)
        let validity = URLValidity(signedAt: time, localTime: .now, lifetime: lifetime, with: resolved)
        // A session's signature may not claim to hold longer than the session.
        let lifetime = purpose == .bucketSession ? max(1, validity.expiry.seconds - time.seconds) : lifetime
        return ObjectURL(
            text: address.url(of: signer.presigned(request, lifetime: lifetime)), expiry: validity.expiry,
            constraint: validity.constraint)
    }
}
