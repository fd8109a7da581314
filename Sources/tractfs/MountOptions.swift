import ArgumentParser

/// `-o OPTION[=VALUE],…`, which mount(8) and /etc/fstab give options in: turned into the command line's own before that is
/// parsed, so that there is one meaning of each.
enum MountOptions {
    /// Options of ours by their name in fstab, with "_" or "-": those with a value, and those without.
    private static let valued: Set = [
        "endpoint-url", "region", "profile", "addressing-style", "ca-bundle", "cache-dir", "cache-size", "memory-limit",
        "metadata-limit", "metadata-ttl", "uid", "gid", "file-mode", "dir-mode", "log-level", "log-file",
        "max-connections", "read-timeout", "expected-bucket-owner", "sse-c-key-file",
    ]
    private static let flags: Set = [
        "no-sign-request", "request-payer", "no-cache", "allow-other", "xattrs", "presign-xattr", "foreground",
    ]
    /// What mount(8) and systemd hand through, and every mount of ours is or may ignore (mount(8), systemd.mount(5)).
    private static let ignored: Set = [
        "ro", "nosuid", "nodev", "noatime", "defaults", "_netdev", "auto", "noauto", "user", "nouser", "users",
        "nofail",
        "default_permissions",
    ]

    /// The arguments with each "-o" of `mount`, or of `doctor`, replaced by what it stands for. What is given by itself comes behind, and so
    /// wins.
    static func expand(_ arguments: [String]) throws(ValidationError) -> [String] {
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
                expanded += try optionsAndFlags(in: list)
            } else if argument.hasPrefix("-o") {
                expanded += try optionsAndFlags(in: String(argument.dropFirst(2)))
            } else {
                rest.append(argument)
            }
        }
        return [command] + expanded + rest
    }

    private static func optionsAndFlags(in list: String) throws(ValidationError) -> [String] {
        var arguments: [String] = []
        for item in list.split(separator: ",") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let name = String(parts[0].map { $0 == "_" ? "-" : $0 })
            switch parts.count {
            case 2 where valued.contains(name): arguments.append("--\(name)=\(parts[1])")
            case 1 where flags.contains(name): arguments.append("--\(name)")
            case 1 where ignored.contains(parts[0]), _ where parts[0].hasPrefix("x-"): break
            case 1 where valued.contains(name): throw ValidationError("-o \(parts[0]) needs a value: \(parts[0])=…")
            case 1 where parts[0] == "rw": throw ValidationError("-o rw: tractfs mounts are read-only")
            default: throw ValidationError("-o \(item): there is no such option; tractfs mount --help lists them")
            }
        }
        return arguments
    }
}
