package import ArgumentParser

/// Checks the names of commands, and suggests the one that was probably meant.
package enum UnknownCommand {
    /// Names of our commands in other programs.
    private static let synonyms = [
        "umount": "unmount", "fusermount": "unmount", "fusermount3": "unmount", "detach": "unmount", "stop": "unmount",
        "attach": "mount", "open": "mount", "start": "mount",
        "stats": "status", "stat": "status", "info": "status", "list-mounts": "status", "prefetch": "warm",
        "preload": "warm", "invalidate": "refresh", "reload": "upgrade", "check": "doctor", "diagnose": "doctor",
        "url": "presign", "sign": "presign", "settings": "config", "update": "upgrade", "restart": "upgrade",
        "delete": "clear", "rm": "clear", "ls": "list", "check-cache": "verify", "get": "show", "print": "show",
    ]

    /// Programs for files, which work on a mount.
    private static let programs: Set = [
        "ls", "cat", "cp", "find", "du", "df", "head", "tail", "tree", "rsync", "rm", "mv",
    ]

    /// Checks that the command line names a command.
    ///
    /// - Parameters:
    ///   - arguments: The command line without the program.
    ///   - root: The command of the program.
    /// - Throws: If a command does not exist.
    package static func check(_ arguments: [String], of root: any ParsableCommand.Type) throws(ValidationError) {
        if FstabOptions.isShort(arguments) { return }
        var configuration = root.configuration
        var (names, path) = (names(in: configuration), "tractfs")
        for name in arguments {
            if name.hasPrefix("-") || names.isEmpty { return }
            // "tractfs help COMMAND"
            if name == "help" { continue }
            guard let index = names.firstIndex(of: name) else { throw unknown(name, among: names, of: path) }
            configuration = configuration.subcommands[index].configuration
            (names, path) = (self.names(in: configuration), "\(path) \(name)")
        }
    }

    private static func names(in configuration: CommandConfiguration) -> [String] {
        configuration.subcommands.map { $0.configuration.commandName ?? "" }
    }

    private static func unknown(_ name: String, among names: [String], of path: String) -> ValidationError {
        let isTopLevel = path == "tractfs"
        let nearest =
            synonyms[name.lowercased()].flatMap { names.contains($0) ? $0 : nil }
            ?? Spelling.nearest(to: name, among: names)
        if isTopLevel, programs.contains(name) {
            return ValidationError("there is no command \(name); a mount is a folder: use \(name) itself on its path")
        }
        let advice =
            nearest.map { "did you mean \(path) \($0)?" } ?? "there are " + names.joined(separator: ", ")
        return ValidationError("there is no command \(name); \(advice)")
    }
}
