/// Something that the user configured can't be used: a URL, a name, a file, a profile.
public struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence without a full stop: what is wrong, where, and what to do about it. Never holds a secret.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
