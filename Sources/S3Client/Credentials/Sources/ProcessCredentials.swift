import SystemPackage
import SystemSupport

/// The credentials that a program prints ("Process credential provider" in the AWS SDKs and Tools Reference Guide).
struct ProcessCredentials: CredentialsSource {
    /// The timeout. A program may need a service, but one that waits for input must not block the mount.
    private static let timeLimit: Duration = .seconds(60)

    private let profile: Profile
    private let context: CredentialsContext

    init(_ profile: Profile, _ context: CredentialsContext) {
        self.profile = profile
        self.context = context
    }

    private var name: String { "the credential_process of \(profile.description)" }
    var searchedLocation: String { name }

    func credentials() throws(SettingsError) -> ResolvedCredentials? {
        guard let command = profile.setting("credential_process") else { return nil }
        guard let words = ShellWords.split(command), let program = words.first else {
            throw SettingsError("\(name) has an unmatched quotation mark, or names no program")
        }
        let output = try run(program, Array(words.dropFirst()))
        // The output is not repeated in errors, since it may contain secrets.
        guard let document = CredentialsDocument(parsing: output, tokenName: "SessionToken") else {
            throw SettingsError("\(name) does not print a JSON document; run it yourself to see its output")
        }
        guard document["Version"]?.integer == 1 else {
            throw SettingsError("\(name) does not print \"Version\": 1, the only format that tractfs supports")
        }
        return try document.credentials(from: name) { $0 ? .session : .user }
    }

    private func run(_ program: String, _ arguments: [String]) throws(SettingsError) -> [UInt8] {
        let environment = context.environment.map { "\($0.key)=\($0.value)" }
        let result: CapturedOutput
        do {
            result = try CapturedOutput(
                of: program, arguments, environment: environment, byteLimit: 1 << 20, timeLimit: Self.timeLimit)
        } catch {
            throw SettingsError("\(name) can't be started (\(Excerpt.of(program.utf8))): \(error)")
        }
        switch result.end {
        case .exited(status: 0): return result.bytes
        case .exited(let status):
            throw SettingsError("\(name) failed with status \(status); run it yourself to see why")
        case .timedOut:
            throw SettingsError(
                "\(name) took longer than \(Self.timeLimit) or printed too much; run it yourself to see why")
        case .killed(let signal): throw SettingsError("\(name) was ended by signal \(signal)")
        }
    }
}
