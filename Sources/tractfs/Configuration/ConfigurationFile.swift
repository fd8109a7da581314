/// A configuration file: general settings, and tables of settings for buckets (`[bucket.NAME]`, `[bucket."s3://NAME/PREFIX"]`)
/// and for mount points (`[mount-point."/mnt/x"]`).
struct ConfigurationFile {
    /// Where in a file something is.
    struct Place {
        let path: String
        /// The key, with the tables that it is in.
        let key: [String]
        /// What it is a place in.
        let document: TOMLDocument

        /// "FILE:LINE".
        var description: String { "\(path):\(line)" }
        /// The first is 1.
        var line: Int { document.line(of: key) }
        /// The table's name as it stands in brackets; `nil` for what is in none.
        var table: String? { key.count < 2 ? nil : key.dropLast().map(Self.quoted).joined(separator: ".") }

        /// A key as it stands in a file: quoted unless it is bare.
        static func quoted(_ key: String) -> String {
            key.wholeMatch(of: /[A-Za-z0-9_-]+/) == nil ? "\"\(key)\"" : key
        }
    }

    struct Table {
        let scope: SettingScope
        let settings: SettingLayer
    }

    let tables: [Table]

    /// Reads the text of a file.
    ///
    /// - Parameters:
    ///   - path: The file's, an absolute one.
    ///   - options: Those that may be set.
    /// - Throws: What is wrong: file, line, key, and what to do.
    init(_ text: String, path: String, options: DeclaredOptions) throws(Failure) {
        let document: TOMLDocument
        do throws(TOMLDocument.SyntaxError) {
            document = try TOMLDocument(parsing: text)
        } catch {
            throw Failure("\(path):\(error.line): this is no TOML: \(error.message)")
        }
        do throws(ConfigurationProblem) {
            tables = try ConfigurationReader(path: path, document: document, options: options).tables()
        } catch {
            let place = Place(path: path, key: error.key, document: document)
            throw Failure("\(place.description): \(error.message)")
        }
    }

    /// Layers of what holds for `target`, the nearest first.
    func layers(for target: SettingTarget) -> [SettingLayer] {
        tables.compactMap { table in target.nearness(of: table.scope).map { (nearness: $0, table.settings) } }
            .sorted { $0.nearness > $1.nearness }
            .map(\.1)
    }
}
