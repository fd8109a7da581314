import ObjectStore
import SystemSupport

@testable import S3Client

extension FuzzTarget {
    /// A refusal: the lines of its head, an empty one, and the body.
    static let storeError = FuzzTarget(name: "store-error") { bytes in
        var choices = Choices(bytes)
        var head = ResponseHead()
        while case let line = choices.line(), !line.isEmpty {
            guard head.receive(line: line) else { return }
        }
        let failure = AttemptFailure(
            head: head, body: Array(choices.rest), subject: "the object", isListing: false,
            now: Timestamp(seconds: 1_800_000_000))
        try requirePlain(failure.error.description)
        if case .useRegion(let region) = failure.remedy {
            try require(Region.isValid(region), "would ask the region \(region)")
        }
    }

    /// What the Security Token Service answers.
    static let securityToken = FuzzTarget(name: "security-token") { bytes in
        let document = SecurityTokenDocument(parsing: bytes)
        try requirePlain(document.message)
        try requirePlain(document.code ?? "")
        guard let id = document.accessKeyID, let secret = document.secretAccessKey else { return }
        let credentials: Credentials
        do throws(SettingsError) {
            credentials = try Credentials(checking: id, secret, sessionToken: document.sessionToken, from: "STS")
        } catch {
            return try requirePlain("\(error)")
        }
        try requireHeaderSafe(credentials)
    }

    /// Credentials go into headers.
    static func requireHeaderSafe(_ credentials: Credentials) throws {
        for text in [credentials.accessKeyID, credentials.sessionToken ?? ""] {
            try require(text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }, "credentials could end a header")
        }
    }
}
