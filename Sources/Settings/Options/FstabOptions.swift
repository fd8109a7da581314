package import ArgumentParser

/// Expands `-o OPTION[=VALUE],…`, the form of options in mount(8) and /etc/fstab, into the options of the command line.
package enum FstabOptions {
    /// The options that mount(8), mount.fuse3(8) and systemd pass on, and that hold for every mount of ours or may be
    /// ignored (mount(8), systemd.mount(5)). mount.fuse3 adds "dev" and "suid" unless the opposite is given.
    private static let ignored: Set = [
        "ro", "suid", "nosuid", "dev", "nodev", "atime", "noatime", "diratime", "nodiratime", "relatime", "norelatime",
        "strictatime", "nostrictatime", "lazytime", "nolazytime", "iversion", "noiversion", "mand", "nomand", "exec",
        "sync", "async", "dirsync", "silent", "loud", "nosymfollow", "defaults", "_netdev", "auto", "noauto", "user",
        "nouser", "users", "owner", "group", "nofail", "default_permissions",
    ]
    /// Ignored options with a value: the user with the right to unmount, and a comment.
    private static let ignoredWithValue: Set = ["user", "comment"]

    /// Returns `true` if the command is left out, as in `tractfs s3://BUCKET FOLDER`: no command has a colon in its
    /// name. mount.fuse3(8) calls programs so for the types "fuse.tractfs" and "fuse" of /etc/fstab.
    package static func isShort(_ arguments: [String]) -> Bool {
        arguments.first?.contains(":") ?? false
    }

    /// Returns the arguments of `mount` or `doctor` with each "-o" replaced by the options in it, and with "mount" in
    /// front if the command is left out. Options given by themselves come last, and so take precedence.
    ///
    /// - Parameters:
    ///   - options: The options of `mount`.
    ///   - isSloppy: `true` to ignore unknown options, as `mount -s` requires.
    ///   - isShort: `true` if the command is left out; `nil` to find out.
    package static func expand(
        _ arguments: [String], options: @autoclosure () -> DeclaredOptions, isSloppy: Bool = false, isShort: Bool? = nil
    ) throws(ValidationError) -> [String] {
        // mount(8) adds "rw" unless "ro" is given, and mount.fuse3(8) passes it on: the user didn't write it.
        let isShort = isShort ?? Self.isShort(arguments)
        let arguments = isShort ? ["mount"] + arguments : arguments
        guard let command = arguments.first, ["mount", "doctor"].contains(command) else { return arguments }
        var expanded: [String] = []
        var rest: [String] = []
        var iterator = arguments.dropFirst().makeIterator()
        while let argument = iterator.next() {
            if argument == "--" {
                rest.append(argument)
                while let argument = iterator.next() { rest.append(argument) }
            } else if argument.hasPrefix("-o") {
                guard let list = argument == "-o" ? iterator.next() : String(argument.dropFirst(2)) else {
                    throw ValidationError("-o needs options behind it")
                }
                expanded += try self.arguments(for: list, options(), isSloppy: isSloppy, mayWrite: isShort)
            } else {
                rest.append(argument)
            }
        }
        return [command] + expanded + rest
    }

    /// Returns the arguments for the options in `list`, the value of a "-o".
    ///
    /// - Parameter mayWrite: `true` if "rw" is accepted without an overlay.
    private static func arguments(
        for list: String, _ options: DeclaredOptions, isSloppy: Bool, mayWrite: Bool
    ) throws(ValidationError) -> [String] {
        var arguments: [String] = []
        let items = items(of: list)
        let mayWrite = mayWrite || items.contains { $0.hasPrefix("overlay=") }
        for item in items {
            var parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            // mount(8) puts SELinux contexts in quotation marks.
            if parts.count == 2, parts[1].count > 1, parts[1].hasPrefix("\""), parts[1].hasSuffix("\"") {
                parts[1] = String(parts[1].dropFirst().dropLast())
            }
            let option = options.meaning(of: parts[0])
            let name = String(parts[0].map { $0 == "_" ? "-" : $0 })
            switch (parts.count, option?.option.isFlag) {
            case (2, false): arguments.append("--\(name)=\(parts[1])")
            case (1, true): arguments.append("--\(name)")
            case (1, nil) where ignored.contains(parts[0]), (2, nil) where ignoredWithValue.contains(parts[0]): break
            // For other programs that read /etc/fstab, such as systemd ("x-") and mount(8) itself ("X-").
            case (_, nil) where parts[0].lowercased().hasPrefix("x-"): break
            case (1, false): throw ValidationError("-o \(parts[0]) needs a value: \(parts[0])=…")
            case (2, true): throw ValidationError("-o \(item): \(parts[0]) takes no value; write \(parts[0]) by itself")
            case (1, nil) where parts[0] == "rw" && mayWrite: break
            case (1, nil) where parts[0] == "rw":
                throw ValidationError(
                    "-o rw: tractfs mounts are read-only; with overlay=FOLDER they take writes, which are kept there")
            case (1, nil) where parts[0] == "remount":
                throw ValidationError("-o remount: a mount's options can't be changed; unmount it, and mount it again")
            case _ where isSloppy: break
            default: throw unknown(item, nearest: options.nearest(to: name))
            }
        }
        return arguments
    }

    /// Splits a list. Commas in a value that begins with a quotation mark are part of it: "context=\"…:s0:c1,c2\"".
    private static func items(of list: String) -> [Substring] {
        var isQuoted = false
        var last: Character?
        return list.split { character in
            if character == "\"" { isQuoted = !isQuoted && last == "=" }
            last = character
            return character == "," && !isQuoted
        }
    }

    private static func unknown(_ item: Substring, nearest: String?) -> ValidationError {
        let advice = nearest.map { "did you mean \($0)? " } ?? ""
        return ValidationError("-o \(item): there is no such option; \(advice)tractfs mount --help lists them")
    }
}
