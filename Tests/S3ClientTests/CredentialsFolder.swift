import Foundation
import TestSupport

@testable import S3Client

/// A home directory with shared files for a chain.
struct CredentialsFolder {
    let path: String

    /// Writes the shared files.
    func write(config: String = "", credentials: String = "") throws {
        try FileManager.default.createDirectory(
            atPath: path + "/.aws/sso/cache", withIntermediateDirectories: true)
        try write(config, to: ".aws/config")
        try write(credentials, to: ".aws/credentials")
    }

    /// Writes another file, and returns its path.
    @discardableResult
    func write(_ text: String, to name: String, mode: Int = 0o600) throws -> String {
        let file = "\(path)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }

    /// An environment with only this home directory, and without EC2.
    var environment: [String: String] {
        ["HOME": path, "AWS_EC2_METADATA_DISABLED": "true", "PATH": "/usr/bin:/bin"]
    }

    /// Resolves the chain.
    func resolve(
        _ environment: [String: String] = [:], profile: String? = nil
    ) -> Result<ResolvedCredentials, SettingsError> {
        Result { () throws(SettingsError) in
            try CredentialsChain(environment: self.environment.merging(environment) { $1 }, profile: profile).resolve()
        }
    }
}

/// Calls `body` with a home directory, and removes it afterward.
func withCredentialsFolder<Result>(
    config: String = "", credentials: String = "", _ body: (CredentialsFolder) throws -> Result
) throws -> Result {
    try withTemporaryDirectory { path in
        let folder = CredentialsFolder(path: path)
        try folder.write(config: config, credentials: credentials)
        return try body(folder)
    }
}

extension Result where Success == ResolvedCredentials, Failure == SettingsError {
    /// The message of the failure.
    var message: String? {
        guard case .failure(let error) = self else { return nil }
        return error.description
    }
}

/// The beginning of all secrets in these tests, by which they are found where they must not be.
let hush = "HUSHHUSH"
