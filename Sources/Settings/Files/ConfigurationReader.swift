import S3Client
import SystemPackage
import SystemSupport

/// Reads the tables and settings of a configuration file.
struct ConfigurationReader {
    /// An error, and the key at which it is.
    struct Problem: Error {
        let key: [String]
        let message: String
    }

    let path: String
    let document: TOMLDocument
    let options: DeclaredOptions

    private static let bucketTables = "bucket"
    private static let mountPointTables = "mount-point"
    private static let groups = [bucketTables, mountPointTables]

    typealias Members = [String: TOMLDocument.Value]

    func tables() throws(Problem) -> [ConfigurationFile.Table] {
        try checkIsWithoutSecrets(document.members, in: [])
        var general: Members = [:]
        var tables: [ConfigurationFile.Table] = []
        for (key, value) in document.members.sorted(by: { $0.key < $1.key }) {
            guard case .table(let members) = value else {
                general[key] = value
                continue
            }
            guard Self.groups.contains(key) else { throw wrongTable(key) }
            for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                tables.append(try table(name, of: key, value))
            }
        }
        return [.init(scope: .general, settings: try settings(general, in: []))] + tables
    }

    /// Parts of the names that users give to keys.
    private static let secretNames = ["access-key", "secret", "session-token", "password", "passwd"]

    private func checkIsWithoutSecrets(_ members: Members, in table: [String]) throws(Problem) {
        for (name, value) in members {
            let key = table + [name]
            if case .table(let members) = value {
                try checkIsWithoutSecrets(members, in: key)
                continue
            }
            guard Self.secretNames.contains(where: name.lowercased().replacing("_", with: "-").contains) else {
                continue
            }
            throw .init(
                key: key,
                message: "\(name): keys have no place in this file, which others may read; put them into a profile of "
                    + "~/.aws/credentials, and write profile = \"NAME\" here")
        }
    }

    private func wrongTable(_ name: String) -> Problem {
        let nearest = Spelling.nearest(to: name, among: Self.groups)
        let advice =
            nearest.map { "did you mean [\($0).NAME]?" } ?? "there are [bucket.NAME] and [mount-point.\"/PATH\"]"
        return .init(key: [name], message: "there is no table [\(name)]; \(advice)")
    }

    // MARK: Tables

    private func table(
        _ name: String, of group: String, _ value: TOMLDocument.Value
    ) throws(Problem) -> ConfigurationFile.Table {
        let key = [group, name]
        guard case .table(let members) = value else {
            let form = group == Self.bucketTables ? "[bucket.NAME]" : "[mount-point.\"/PATH\"]"
            throw .init(
                key: key,
                message:
                    "\(group) is what tables begin with, \(form); put \(name) into such a table, or above all tables")
        }
        try checkIsFlat(members, group, name)
        let scope = try group == Self.bucketTables ? bucket(name, key) : mountPoint(name, key)
        return .init(scope: scope, settings: try settings(members, in: key))
    }

    private func checkIsFlat(_ members: Members, _ group: String, _ name: String) throws(Problem) {
        for case (let inner, .table) in members {
            throw .init(
                key: [group, name, inner],
                message: "there is no table [\(group).\(name).\(inner)]; a name with a dot in it needs quotes: "
                    + "[\(group).\"\(name).\(inner)\"]")
        }
    }

    private func bucket(_ name: String, _ key: [String]) throws(Problem) -> SettingScope {
        do throws(SettingsError) {
            return .bucket(try S3URI(parsing: name.hasPrefix("s3://") ? name : "s3://\(name)"))
        } catch {
            throw .init(key: key, message: "\(error)")
        }
    }

    private func mountPoint(_ name: String, _ key: [String]) throws(Problem) -> SettingScope {
        guard name.hasPrefix("/") else {
            throw .init(key: key, message: "the mount point \(name) must be a whole path: [mount-point.\"/PATH\"]")
        }
        return .mountPoint(FilePath(name).lexicallyNormalized())
    }

    // MARK: Settings

    private func settings(_ members: Members, in table: [String]) throws(Problem) -> SettingLayer {
        var settings: SettingLayer = []
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            let key = table + [name]
            let setting = try setting(name, value, key)
            if settings.contains(where: { $0.option == setting.option }) {
                throw .init(key: key, message: "\(setting.option) is set twice in one table; leave one of them out")
            }
            settings.append(setting)
        }
        return settings
    }

    private func setting(
        _ name: String, _ value: TOMLDocument.Value, _ key: [String]
    ) throws(Problem) -> Setting {
        guard let (option, isNegated) = options.meaning(of: name) else {
            throw .init(key: key, message: unknown(name))
        }
        let location = ConfigurationFile.Location(path: path, key: key, document: document)
        if option.isFlag {
            guard case .bool(let isTrue) = value else {
                throw .init(
                    key: key, message: "\(name) is of type \(value.typeName); write \(name) = true or \(name) = false")
            }
            return Setting(option: option.name, value: .flag(isTrue != isNegated), origin: .file(location))
        }
        guard let text = text(value, of: option) else {
            throw .init(key: key, message: "\(name) is of type \(value.typeName); write \(name) = \"…\", in quotes")
        }
        return Setting(option: option.name, value: .text(text), origin: .file(location))
    }

    /// Returns a value as it stands on a command line; `nil` if it is of a wrong type. Numbers need no quotes, unless
    /// they are octal: a parsed number does not show if it was written as 0o444 or 444.
    private func text(_ value: TOMLDocument.Value, of option: DeclaredOptions.Option) -> String? {
        switch value {
        case .string(let text): option.isPath ? absolute(text) : text
        case .integer(let number) where option.valueName != "mode": "\(number)"
        default: nil
        }
    }

    /// Returns an absolute path: "~/" stands for the user's home, and relative paths start at the folder of the file.
    private func absolute(_ path: String) -> String {
        if path.isEmpty { return path }
        if path.hasPrefix("~/"), let home = Environment.variables()["HOME"] { return home + path.dropFirst() }
        return FilePath(self.path).removingLastComponent().pushing(FilePath(path)).string
    }

    /// Returns the message for an unknown key. It never contains the value.
    private func unknown(_ name: String) -> String {
        if let nearest = options.nearest(to: name) { return "there is no option \(name); did you mean \(nearest)?" }
        return "there is no option \(name); tractfs config show lists all"
    }
}
