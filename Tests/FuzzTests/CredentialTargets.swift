import ObjectStore
import SystemSupport

@testable import S3Client

extension FuzzTarget {
    /// A file of settings, as the AWS tools share them.
    static let settings = FuzzTarget(name: "settings") { bytes in
        let text = String(decoding: bytes, as: UTF8.self)
        let file: INIFile
        do throws(SettingsError) {
            file = try INIFile(parsing: text, name: "config")
        } catch {
            return try requirePlain(error.description)
        }
        for (name, settings) in file.sections {
            try require(!name.contains("]"), "a section's name has its end in it")
            for (setting, value) in settings {
                try require(!setting.isEmpty && setting == setting.lowercased(), "a setting is called \(setting)")
                try require(!value.contains { $0.isNewline }, "a value has two lines")
            }
        }
        guard let again = printed(file) else { return }
        try require(
            try INIFile(parsing: again, name: "config") == file, "it is read otherwise when it is written again")
    }

    /// Returns the settings of a file as text, or `nil` if our way of writing cannot represent a name.
    private static func printed(_ file: INIFile) -> String? {
        var text = ""
        for (name, settings) in file.sections {
            text += "[\(name)]\n"
            for (setting, value) in settings {
                // A name below a setting has a "." in it, and may begin with any character.
                guard let first = setting.first, !"[#;".contains(first), !setting.contains(where: { "=:".contains($0) })
                else { return nil }
                text += "\(setting)=\(value)\n"
            }
        }
        return text
    }

    /// Credentials in a JSON document, as programs, containers, machines and the access portal send them.
    static let credentialsDocument = FuzzTarget(name: "credentials-document") { bytes in
        guard let value = JSONValue(parsing: bytes) else {
            return try require(
                CredentialsDocument(parsing: bytes, tokenName: "Token") == nil, "no JSON, but credentials")
        }
        try require(
            JSONValue(parsing: Array("\(value)".utf8)) == value, "it is read otherwise when it is written again")
        guard let document = CredentialsDocument(parsing: bytes, tokenName: "Token") else { return }
        let resolved: ResolvedCredentials
        do throws(SettingsError) {
            resolved = try document.credentials(
                from: "a program", kind: { _ in .session }, serviceTime: Timestamp(seconds: 1_800_000_000))
        } catch {
            return try requirePlain(error.description)
        }
        try requireHeaderSafe(resolved.credentials)
    }

    /// A command as `credential_process` has it.
    static let command = FuzzTarget(name: "command") { bytes in
        guard let words = ShellWords.split(String(decoding: bytes, as: UTF8.self)) else { return }
        let quoted = words.map(\.shellQuoted).joined(separator: " ")
        try require(ShellWords.split(quoted) == words, "\(words) are other words when they are quoted")
    }
}
