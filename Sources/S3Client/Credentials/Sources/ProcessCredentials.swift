import SystemPackage
import SystemSupport

/// What a program prints that a profile names ("Process credential provider" in the AWS SDKs and Tools Reference Guide).
struct ProcessCredentials: CredentialsSource {
    /// A program may have to ask a service; one that waits for a person to type something must not hold the mount up for good.
    private static let timeLimit: Duration = .seconds(60)

    private let profile: Profile
    private let context: CredentialsContext

    init(_ profile: Profile, _ context: CredentialsContext) {
        self.profile = profile
        self.context = context
    }

    private var place: String { "the credential_process of \(profile.description)" }
    var whatIsLookedAt: String { place }

    func credentials() throws(SettingsError) -> ResolvedCredentials? {
        guard let command = profile.setting("credential_process") else { return nil }
        guard let words = ShellWords.split(command), let program = words.first else {
            throw SettingsError("\(place) has a quotation mark without its other half, or names no program")
        }
        let output = try run(program, Array(words.dropFirst()))
        // None of it goes into an error: it may be anything, secrets too.
        guard let document = CredentialsDocument(parsing: output, tokenName: "SessionToken") else {
            throw SettingsError("\(place) prints something that is no JSON document; run it yourself to see what")
        }
        guard document["Version"]?.integer == 1 else {
            throw SettingsError("\(place) prints no \"Version\": 1, so it is of a form that tractfs doesn't know")
        }
        return try document.credentials(from: place) { $0 ? .session : .user }
    }

    private func run(_ program: String, _ arguments: [String]) throws(SettingsError) -> [UInt8] {
        let environment = context.environment.map { "\($0.key)=\($0.value)" }
        let result: CapturedOutput
        do {
            result = try CapturedOutput(
                of: program, arguments, environment: environment, byteLimit: 1 << 20, timeLimit: Self.timeLimit)
        } catch {
            throw SettingsError("\(place) can't be started (\(Excerpt.of(program.utf8))): \(error)")
        }
        switch result.end {
        case .exited(status: 0): return result.bytes
        case .exited(let status):
            throw SettingsError("\(place) failed with status \(status); run it yourself to see why")
        case .timedOut:
            throw SettingsError(
                "\(place) took longer than \(Self.timeLimit) or printed too much; run it yourself to see why")
        case .killed(let signal): throw SettingsError("\(place) was ended by signal \(signal)")
        }
    }
}
