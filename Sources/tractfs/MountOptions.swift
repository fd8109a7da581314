import ArgumentParser

/// `-o OPTION[=VALUE],…`, which mount(8) and /etc/fstab give options in: turned into the command line's own before that is
/// parsed, so that there is one meaning of each.
enum MountOptions {
    /// What mount(8) and systemd hand through, and every mount of ours is or may ignore (mount(8), systemd.mount(5)).
    private static let ignored: Set = [
        "ro", "nosuid", "nodev", "noatime", "nodiratime", "relatime", "norelatime", "exec", "sync", "async", "dirsync",
        "defaults", "_netdev", "auto", "noauto", "user", "nouser", "users", "owner", "group", "nofail",
        "default_permissions",
    ]
    /// The same with a value: who may unmount, and what is a remark.
    private static let ignoredWithValue: Set = ["user", "comment"]

    /// The arguments with each "-o" of `mount`, or of `doctor`, replaced by what it stands for. What is given by itself comes
    /// behind, and so wins.
    ///
    /// - Parameter isSloppy: Whether options that nobody knows are passed over, as `mount -s` wants it.
    static func expand(_ arguments: [String], isSloppy: Bool = false) throws(ValidationError) -> [String] {
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
                expanded += try optionsAndFlags(in: list, isSloppy: isSloppy)
            } else if argument.hasPrefix("-o") {
                expanded += try optionsAndFlags(in: String(argument.dropFirst(2)), isSloppy: isSloppy)
            } else {
                rest.append(argument)
            }
        }
        return [command] + expanded + rest
    }

    private static func optionsAndFlags(in list: String, isSloppy: Bool) throws(ValidationError) -> [String] {
        let options = DeclaredOptions.ofMount
        var arguments: [String] = []
        let mayWrite = list.split(separator: ",").contains { $0.hasPrefix("overlay=") }
        for item in list.split(separator: ",") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
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

    private static func unknown(_ item: Substring, nearest: String?) -> ValidationError {
        let advice = nearest.map { "did you mean \($0)? " } ?? ""
        return ValidationError("-o \(item): there is no such option; \(advice)tractfs mount --help lists them")
    }
}
