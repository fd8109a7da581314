import ObjectStore
import S3Client

/// All checks in their order: what builds on something that is wrong is skipped, all else is looked at.
struct Examination {
    let command: DoctorCommand
    let environment: [String: String]
    /// Hears of each finding as soon as there is one.
    let tell: (Finding) throws -> Void

    /// What is asked of one question to the store.
    private static let probeLimit: Duration = .seconds(10)

    /// Makes all checks.
    func run() throws {
        try perform(FuseCheck(allowsOthers: command.appearance.allowOther))
        try perform(PassthroughCheck(cache: try? command.cache.settings(environment: environment)))
        try perform(TakeoverCheck())
        try examineStore()
        try perform(CacheCheck(options: command.cache, environment: environment))
        try perform(MemoryCheck(options: command.running.memory, connectionLimit: command.store.maxConnections))
    }

    private func examineStore() throws {
        let settings = try perform(
            SettingsCheck(
                uri: command.uri, options: command.store,
                connectionLimit: command.running.memory.budget(connectionLimit: command.store.maxConnections)
                    .connectionLimit,
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

    /// - Returns: Whether the store has answered.
    private func examineEndpoint(_ configuration: S3Configuration) throws -> Bool {
        let probe = EndpointProbe(configuration, limit: Self.probeLimit)
        // Its own limit doesn't hold for a resolver that hangs.
        guard let report = TimeLimit.run(Self.probeLimit * 2, { probe.run() }) else {
            try tell(.failure(.name, tooLong(Self.probeLimit * 2), advice: "check the network and its name servers"))
            try skip(.clock, .connection, .encryption, .endpoint, .region, because: "the address isn't known")
            return false
        }
        let findings = EndpointFindings(report: report, configuration: configuration, environment: environment)
        for finding in [
            findings.clock, findings.name, findings.connection, findings.encryption, findings.endpoint, findings.region,
        ] {
            try tell(finding)
        }
        guard case .success = report.result else { return false }
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
            try tell(.failure(check.name, tooLong(check.limit), advice: "try again, or look at what it waits for"))
            return nil
        }
        try tell(result.finding)
        return result.product
    }

    private func tooLong(_ limit: Duration) -> String {
        "there was no result within \(limit.components.seconds) seconds"
    }

    private func skip(_ checks: CheckName..., because reason: String) throws {
        for check in checks { try tell(.skipped(check, because: reason)) }
    }
}
