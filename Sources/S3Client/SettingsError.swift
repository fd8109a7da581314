/// Something that the user configured can't be used: a URL, a name, a file, a profile.
public struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence without a full stop: what is wrong, where, and what to do about it. Never holds a secret.
    public let description: String

    /// `true` if a service could not be reached, which may pass.
    public let mayPass: Bool
    /// `true` if this only means that a source of credentials has none.
    let isAbsence: Bool

    init(_ description: String, mayPass: Bool = false, isAbsence: Bool = false) {
        self.description = description
        self.mayPass = mayPass
        self.isAbsence = isAbsence
    }
}
