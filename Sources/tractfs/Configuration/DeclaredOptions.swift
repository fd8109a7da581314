import ArgumentParser
import FoundationEssentials

/// The options of a command, as its declaration has them. There is no other list: `-o`, files and variables follow this one.
struct DeclaredOptions: Sendable {
    struct Option: Sendable {
        /// Without the dashes; of a flag that can be given as "--NAME" and as "--no-NAME" this is NAME.
        let name: String
        /// What its value is called in the help; `nil` for a flag.
        let valueName: String?
        /// What holds where nothing is said, as the help has it.
        let standard: String?

        var isFlag: Bool { valueName == nil }
        /// Whether its value is a path.
        var isPath: Bool { valueName == "file" || valueName == "folder" }
    }

    /// Those of `mount`.
    static let ofMount = DeclaredOptions(of: MountCommand.self)

    /// In the order of the help.
    let options: [Option]
    private let indices: [String: Int]

    private init(_ options: [Option]) {
        self.options = options
        indices = Dictionary(uniqueKeysWithValues: options.enumerated().map { ($1.name, $0) })
    }

    /// All but one.
    func without(_ name: String) -> DeclaredOptions {
        DeclaredOptions(options.filter { $0.name != name })
    }

    /// Those of `command`, without the ones that every command has.
    init(of command: any ParsableArguments.Type) {
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

    /// An option by its name.
    subscript(name: String) -> Option? { indices[name].map { options[$0] } }

    private static let negation = "no-"

    /// What a name means to a user, who may write "_" for "-": the option, and whether the name says no to it ("no-cache").
    func meaning(of name: String) -> (option: Option, isNegated: Bool)? {
        let name = String(name.map { $0 == "_" ? "-" : $0 })
        if let option = self[name] { return (option, false) }
        guard name.hasPrefix(Self.negation), let option = self[String(name.dropFirst(Self.negation.count))],
            option.isFlag
        else { return nil }
        return (option, true)
    }

    /// The option that was meant by a name that there isn't; `nil` where that can be anything.
    func nearest(to name: String) -> String? {
        Spelling.nearest(
            to: name, among: options.map(\.name) + options.filter(\.isFlag).map { Self.negation + $0.name })
    }
}

// MARK: The declaration

/// What a command's declaration says, in the form in which the parser hands it out for programs.
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
            // Given by the name of the one of the two that it stands for.
            return .init(name: name, valueName: nil, standard: "\(defaultValue == "--" + name)")
        }

        /// What the option's description says of it: "(default: …)".
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
            // The parser's own words about our own declarations: a test reads all of them.
            preconditionFailure("the declaration of \(command) can't be read: \(error)")
        }
    }
}
