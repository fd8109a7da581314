import ObjectStore
import S3Client
package import Settings
import SystemSupport

/// Makes all checks in their order. A check that needs the result of a failed one is skipped; all others are made.
package struct Examination {
    private let uri: String
    private let store: StoreOptions
    private let cache: CacheOptions
    private let memory: MemoryOptions
    private let allowsOthers: Bool
    private let environment: [String: String]
    private let report: (Finding) throws -> Void

    /// Creates an examination of a bucket with these options.
    ///
    /// - Parameters:
    ///   - uri: The bucket, as the user gives it.
    ///   - allowsOthers: `true` to check for --allow-other.
    ///   - report: Receives each finding as soon as it is made.
    package init(
        uri: String, store: StoreOptions, cache: CacheOptions, memory: MemoryOptions, allowsOthers: Bool,
        environment: [String: String], report: @escaping (Finding) throws -> Void
    ) {
        self.uri = uri
        self.store = store
        self.cache = cache
        self.memory = memory
        self.allowsOthers = allowsOthers
        self.environment = environment
        self.report = report
    }

    /// The time limit of the request that finds the way to the store.
    private static let probeLimit: Duration = .seconds(10)

    /// Makes all checks.
    package func run() throws {
        try perform(FuseCheck(allowsOthers: allowsOthers))
        try perform(PassthroughCheck(cache: try? cache.settings(environment: environment)))
        try perform(TakeoverCheck())
        try examineStore()
        try perform(CacheCheck(options: cache, environment: environment))
        try perform(MemoryCheck(options: memory, connectionLimit: store.maxConnections))
    }

    private func examineStore() throws {
        let settings = try perform(
            SettingsCheck(
                uri: uri, options: store,
                connectionLimit: memory.budget(connectionLimit: store.maxConnections).connectionLimit,
                environment: environment))
        guard let settings else {
            return try skip(
                .credentials, .clock, .name, .connection, .encryption, .endpoint, .region, .list, .read, .roundTrip,
                .bandwidth, because: "the settings can't be used")
        }
        let signing = try perform(CredentialsCheck(chain: settings.credentials, environment: environment))
        guard try examineEndpoint(settings.configuration) else {
            return try skip(.list, .read, .roundTrip, .bandwidth, because: "the store can't be asked")
        }
        guard let signing else {
            return try skip(.list, .read, .roundTrip, .bandwidth, because: "there is nothing to sign requests with")
        }
        try examineObjects(BucketAccess(settings: settings, signing: signing))
    }

    /// Examines the bucket's endpoint. Returns `true` if the store has answered.
    private func examineEndpoint(_ configuration: S3Configuration) throws -> Bool {
        let probe = EndpointProbe(configuration, limit: Self.probeLimit)
        // The limit of the probe doesn't include a resolver that hangs.
        guard let endpoint = TimeLimit.run(Self.probeLimit * 2, { probe.run() }) else {
            try report(.failure(.name, tooLong(Self.probeLimit * 2), advice: "check the network and its name servers"))
            try skip(.clock, .connection, .encryption, .endpoint, .region, because: "the address isn't known")
            return false
        }
        let findings = EndpointFindings(report: endpoint, configuration: configuration, environment: environment)
        for finding in [
            findings.clock, findings.name, findings.connection, findings.encryption, findings.endpoint, findings.region,
        ] {
            try report(finding)
        }
        guard case .success = endpoint.result else { return false }
        return true
    }

    private func examineObjects(_ access: BucketAccess) throws {
        guard let objects = try perform(ListCheck(access: access)) else {
            return try skip(.read, .roundTrip, .bandwidth, because: "the prefix can't be listed")
        }
        guard let readable = try perform(ReadCheck(access: access, objects: objects)) else {
            return try skip(.roundTrip, .bandwidth, because: "nothing could be read")
        }
        try perform(RoundTripCheck(access: access, object: readable[0]))
        try perform(BandwidthCheck(access: access, objects: readable))
    }

    // MARK: One check

    @discardableResult
    private func perform<C: Check>(_ check: C) throws -> C.Product? {
        guard let result = TimeLimit.run(check.limit, { check.run() }) else {
            try report(.failure(check.name, tooLong(check.limit), advice: "try again, or look at what it waits for"))
            return nil
        }
        try report(result.finding)
        return result.product
    }

    private func tooLong(_ limit: Duration) -> String {
        "there was no result within \(limit.components.seconds) seconds"
    }

    private func skip(_ checks: CheckName..., because reason: String) throws {
        for check in checks { try report(.skipped(check, because: reason)) }
    }
}
