import Glibc

/// Paths that mean the same wherever a process is; one that serves in the background leaves the folder that it was
/// started in.
enum AbsolutePath {
    /// `path` as seen from the working directory. Not resolved: it need not be there.
    static func of(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let current = getcwd(nil, 0) else { return path }
        defer { free(current) }
        return String(cString: current) + "/" + path
    }
}
