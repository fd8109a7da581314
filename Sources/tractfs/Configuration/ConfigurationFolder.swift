import SystemPackage

/// The folder of a configuration file, from which relative paths in it count.
struct ConfigurationFolder {
    private let folder: FilePath

    init(of path: String) {
        folder = FilePath(path).removingLastComponent()
    }

    /// What a path in the file means; "~/" is the user's home.
    func absolute(_ path: String) -> String {
        if path.isEmpty { return path }
        if path.hasPrefix("~/"), let home = Environment.variables()["HOME"] { return home + path.dropFirst() }
        return folder.pushing(FilePath(path)).string
    }
}
