/// Arguments as they were typed, looked through before they are parsed: what is an option, and what is none.
struct TypedArguments {
    /// What options are given; the last one counts, as for the parser.
    private(set) var settings: SettingLayer = []
    private(set) var positionals: [String] = []

    /// - Parameters:
    ///   - arguments: Those behind the command's name.
    ///   - options: The command's. Whatever else begins with "-" is left to the parser, which knows it or says that it doesn't.
    init(_ arguments: [String], options: DeclaredOptions) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                positionals += rest
                return
            }
            guard argument.hasPrefix("--") else {
                if argument == "-" || !argument.hasPrefix("-") { positionals.append(argument) }
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

    /// The value of an option that was given.
    func value(of option: String) -> String? {
        guard case .text(let text) = settings.first(where: { $0.option == option })?.value else { return nil }
        return text
    }
}
