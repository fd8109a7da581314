package import ArgumentParser
import FoundationEssentials

/// The options of a command, read from its declaration. There is no other list: `-o`, configuration files and variables
/// use this one.
package struct DeclaredOptions: Sendable {
    package struct Option: Sendable {
        /// The name without dashes; NAME for a flag that can be given as "--NAME" and "--no-NAME".
        package let name: String
        /// The name of the value in the help; `nil` for a flag.
        package let valueName: String?
        /// The default, as in the help.
        package let standard: String?

        package var isFlag: Bool { valueName == nil }
        /// `true` if the value is a path.
        package var isPath: Bool { valueName == "file" || valueName == "folder" }
    }

    /// The options in the order of the help.
    package let options: [Option]
    private let indices: [String: Int]

    private init(_ options: [Option]) {
        self.options = options
        indices = Dictionary(uniqueKeysWithValues: options.enumerated().map { ($1.name, $0) })
    }

    /// Returns all options but one.
    func without(_ name: String) -> DeclaredOptions {
        DeclaredOptions(options.filter { $0.name != name })
    }

    /// The options of `command`, without those that every command has.
    package init(of command: any ParsableArguments.Type) {
        let arguments = Self.arguments(of: command).filter { $0.kind != .positional }
        let names = Set(arguments.compactMap(\.longName))
        let options = arguments.compactMap { argument -> Option? in
            guard let name = argument.longName, !["help", "version"].contains(name),
                !(name.hasPrefix(Self.negation) && names.contains(String(name.dropFirst(Self.negation.count))))
            else { return nil }
            return argument.option(named: name)
        }
        self.init(options)
    }

    /// The option with the name `name`.
    package subscript(name: String) -> Option? { indices[name].map { options[$0] } }

    private static let negation = "no-"

    /// Returns the option for a name as users write it, with "_" or "-", and `true` if the name negates it
    /// ("no-cache").
    package func meaning(of name: String) -> (option: Option, isNegated: Bool)? {
        let name = String(name.map { $0 == "_" ? "-" : $0 })
        if let option = self[name] { return (option, false) }
        guard name.hasPrefix(Self.negation), let option = self[String(name.dropFirst(Self.negation.count))],
            option.isFlag
        else { return nil }
        return (option, true)
    }

    /// Returns the option that was probably meant by an unknown name; `nil` if none is similar.
    func nearest(to name: String) -> String? {
        Spelling.nearest(
            to: name, among: options.map(\.name) + options.filter(\.isFlag).map { Self.negation + $0.name })
    }
}

// MARK: The declaration

/// The declaration of a command, in the form in which the parser exports it for programs.
private struct Declaration: Decodable {
    struct Command: Decodable {
        let arguments: [Argument]
    }

    struct Argument: Decodable {
        enum Kind: String, Decodable {
            case positional, option, flag
        }

        struct Name: Decodable {
            let kind: String
            let name: String
        }

        let kind: Kind
        let names: [Name]?
        let valueName: String?
        let defaultValue: String?
        let abstract: String?

        var longName: String? { names?.first { $0.kind == "long" }?.name }

        func option(named name: String) -> DeclaredOptions.Option {
            guard kind == .flag else {
                return .init(name: name, valueName: valueName ?? "value", standard: defaultValue ?? writtenDefault)
            }
            // The parser gives the name of the one of both flags that is the default.
            return .init(name: name, valueName: nil, standard: "\(defaultValue == "--" + name)")
        }

        /// The default in the text of the help: "(default: …)".
        private var writtenDefault: String? {
            abstract?.firstMatch(of: /\(default: ([^)]+)\)/).map { String($0.output.1) }
        }
    }

    let command: Command
}

extension DeclaredOptions {
    private static func arguments(of command: any ParsableArguments.Type) -> [Declaration.Argument] {
        let bytes = Data(command._dumpHelp().utf8)
        do {
            return try JSONDecoder().decode(Declaration.self, from: bytes).command.arguments
        } catch {
            // The parser's export of our own declarations: a test reads all of them.
            preconditionFailure("the declaration of \(command) can't be read: \(error)")
        }
    }
}
