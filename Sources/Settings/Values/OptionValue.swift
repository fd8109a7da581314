package import ArgumentParser
package import Logging
package import SystemSupport

/// A value of an option, read from its text.
package protocol OptionValue {
    /// The expected form, for messages: "a size, such as 512MiB".
    static var form: String { get }

    init?(argument: String)

    /// Returns the text that was probably meant by `text`, which is not of the expected form; `nil` if that is unclear.
    static func suggestion(for text: String) -> String?
}

extension OptionValue {
    package static func suggestion(for text: String) -> String? { nil }

    /// Reads a value.
    ///
    /// - Throws: The expected form, with a suggestion.
    package static func read(_ text: String) throws -> Self {
        if let value = Self(argument: text) { return value }
        throw ValidationError("give \(form)" + (suggestion(for: text).map { "; did you mean \($0)?" } ?? ""))
    }
}

extension Option where Value: OptionValue & SendableMetatype {
    /// An option with a default, which is added to its help.
    package init(wrappedValue: Value, _ help: String, valueName: String, completion: CompletionKind? = nil) {
        self.init(
            wrappedValue: wrappedValue,
            help: ArgumentHelp("\(help) (default: \(wrappedValue))", valueName: valueName), completion: completion,
            transform: { try Value.read($0) })
    }
}

extension Int: OptionValue {
    package static var form: String { "a number, such as 64" }
}

extension UInt32: OptionValue {
    package static var form: String { "a number, as \"id\" prints it" }
}

extension Logger.Level: OptionValue {
    package static var form: String { allCases.map(\.rawValue).joined(separator: ", ") }

    package init?(argument: String) {
        self.init(rawValue: argument)
    }
}

extension ByteCount: OptionValue {
    package static var form: String { "a size, such as 512MiB or 4GiB" }
}
