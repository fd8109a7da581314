import SystemSupport

/// A configuration file: general settings, and tables of settings for buckets (`[bucket.NAME]`,
/// `[bucket."s3://NAME/PREFIX"]`) and for mount points (`[mount-point."/mnt/x"]`).
package struct ConfigurationFile {
    /// The location of a key in a file.
    package struct Location {
        let path: String
        /// The key, behind the tables that it is in.
        let key: [String]
        let document: TOMLDocument

        /// "FILE:LINE".
        var description: String { "\(path):\(line)" }
        /// The number of the line; the first is 1.
        var line: Int { document.line(of: key) }
        /// The name of the table as it stands in brackets; `nil` for a key in none.
        var table: String? { key.count < 2 ? nil : key.dropLast().map(Self.quoted).joined(separator: ".") }

        /// Returns a key as it stands in a file: quoted unless it is bare.
        private static func quoted(_ key: String) -> String {
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
    ///   - path: The absolute path of the file.
    ///   - options: The options that may be set.
    /// - Throws: The error, with file, line and key.
    init(_ text: String, path: String, options: DeclaredOptions) throws(Failure) {
        let document: TOMLDocument
        do throws(TOMLDocument.SyntaxError) {
            document = try TOMLDocument(parsing: text)
        } catch {
            throw Failure("\(path):\(error.line): this is no TOML: \(error.message)")
        }
        do throws(ConfigurationReader.Problem) {
            tables = try ConfigurationReader(path: path, document: document, options: options).tables()
        } catch {
            let location = Location(path: path, key: error.key, document: document)
            throw Failure("\(location.description): \(error.message)")
        }
    }

    /// Returns the layers of settings for `target`, the nearest first.
    func layers(for target: SettingTarget) -> [SettingLayer] {
        tables.compactMap { table in target.nearness(of: table.scope).map { (nearness: $0, table.settings) } }
            .sorted { $0.nearness > $1.nearness }
            .map(\.1)
    }
}
