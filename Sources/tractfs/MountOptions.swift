import ArgumentParser

/// `-o OPTION[=VALUE],…`, which mount(8) and /etc/fstab give options in: turned into the command line's own before that is
/// parsed, so that there is one meaning of each.
enum MountOptions {
    /// The options that mount(8), mount.fuse3(8) and systemd hand through, and that hold for every mount of ours or may be
    /// ignored (mount(8), systemd.mount(5)). "dev" and "suid" are mount.fuse3's wherever the opposite isn't said.
    private static let ignored: Set = [
        "ro", "suid", "nosuid", "dev", "nodev", "atime", "noatime", "diratime", "nodiratime", "relatime", "norelatime",
        "strictatime", "nostrictatime", "lazytime", "nolazytime", "iversion", "noiversion", "mand", "nomand", "exec",
        "sync", "async", "dirsync", "silent", "loud", "nosymfollow", "defaults", "_netdev", "auto", "noauto", "user",
        "nouser", "users", "owner", "group", "nofail", "default_permissions",
    ]
    /// The same with a value: who may unmount, and what is a remark.
    private static let ignoredWithValue: Set = ["user", "comment"]

    /// Returns `true` if the command is left out, as in `tractfs s3://BUCKET FOLDER`: no command has a colon in its name. mount.fuse3(8) calls
    /// programs so, for /etc/fstab's types "fuse.tractfs" and "fuse".
    static func isShort(_ arguments: [String]) -> Bool {
        arguments.first?.contains(":") ?? false
    }

    /// The arguments with each "-o" of `mount`, or of `doctor`, replaced by what it stands for, and with "mount" in front where it
    /// is left out. What is given by itself comes behind, and so wins.
    ///
    /// - Parameters:
    ///   - isSloppy: `true` to pass over unknown options, as `mount -s` wants it.
    ///   - isShort: Whether "mount" is left out; `nil` to find out.
    static func expand(
        _ arguments: [String], isSloppy: Bool = false, isShort: Bool? = nil
    ) throws(ValidationError) -> [String] {
        // mount(8) says "rw" wherever "ro" isn't said, and mount.fuse3(8) hands it on: no word of the user's.
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
            } else if argument == "-o" {
                guard let list = iterator.next() else { throw ValidationError("-o needs options behind it") }
                expanded += try optionsAndFlags(in: list, isSloppy: isSloppy, mayWrite: isShort)
            } else if argument.hasPrefix("-o") {
                expanded += try optionsAndFlags(
                    in: String(argument.dropFirst(2)), isSloppy: isSloppy, mayWrite: isShort)
            } else {
                rest.append(argument)
            }
        }
        return [command] + expanded + rest
    }

    /// - Parameter mayWrite: Whether "rw" is accepted without an overlay.
    private static func optionsAndFlags(
        in list: String, isSloppy: Bool, mayWrite: Bool
    ) throws(ValidationError) -> [String] {
        let options = DeclaredOptions.ofMount
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
            // For others that read /etc/fstab, such as systemd ("x-") and mount(8) itself ("X-").
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

    /// The items of a list. Commas in a value that begins with a quotation mark are part of it: "context=\"…:s0:c1,c2\"".
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
