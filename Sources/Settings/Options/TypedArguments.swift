/// The options and the operands among the arguments of a command, found before the arguments are parsed.
struct TypedArguments {
    /// The given options. If one is repeated, its last value applies, as in the parser.
    private(set) var settings: SettingLayer = []
    private(set) var operands: [String] = []

    /// Separates the options of a command line from its operands.
    ///
    /// - Parameters:
    ///   - arguments: The arguments behind the command's name.
    ///   - options: The options of the command. Other arguments that begin with "-" are left to the parser, which knows
    ///     or refuses them.
    init(_ arguments: [String], options: DeclaredOptions) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                operands += rest
                return
            }
            guard argument.hasPrefix("--") else {
                if argument == "-" || !argument.hasPrefix("-") { operands.append(argument) }
                continue
            }
            let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let (option, isNegated) = options.meaning(of: String(parts[0])) else { continue }
            if option.isFlag {
                add(option.name, .flag(!isNegated))
            } else if let value = parts.dropFirst().first.map(String.init) ?? rest.popFirst() {
                add(option.name, .text(value))
            }
        }
    }

    private mutating func add(_ option: String, _ value: Setting.Value) {
        settings.removeAll { $0.option == option }
        settings.append(Setting(option: option, value: value, origin: .commandLine))
    }

    /// Returns the value of an option; `nil` if it isn't given.
    func value(of option: String) -> String? {
        guard case .text(let text) = settings.first(where: { $0.option == option })?.value else { return nil }
        return text
    }
}
