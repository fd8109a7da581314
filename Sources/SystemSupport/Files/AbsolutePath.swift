import Glibc

/// Paths that stay valid when the process changes its working directory, as one that serves in the background does.
public enum AbsolutePath {
    /// Returns `path` relative to the working directory as an absolute path. It is not resolved: it need not exist.
    public static func of(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let current = getcwd(nil, 0) else { return path }
        defer { free(current) }
        return String(cString: current) + "/" + path
    }
}
