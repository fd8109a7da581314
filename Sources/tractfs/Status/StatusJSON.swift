import SystemSupport

/// The status of mounts, for programs.
enum StatusJSON {
    /// Returns the object of one mount: the mount point, then the members of the server's answer, or only "error" if it
    /// didn't answer.
    static func object(_ mount: AskedMount) -> String {
        var head: [(name: String, value: JSONObject.Value)] = [
            ("mount_point", .string(mount.mountPoint)), ("source", .string(mount.source)),
        ]
        switch mount.answer {
        case .failure(let failure):
            head.append(("error", .string(failure.description)))
            return "\(JSONObject(head))"
        case .success(let answer):
            head.append(("error", .null))
            // Both are nonempty objects: joining them at their braces yields one object.
            return "\(JSONObject(head))".dropLast() + ", " + answer.drop { $0 != "{" }.dropFirst()
        }
    }

    /// Returns the objects of several mounts, one per line.
    static func array(_ mounts: [AskedMount]) -> String {
        mounts.isEmpty ? "[]" : "[\n" + mounts.map { "  " + object($0) }.joined(separator: ",\n") + "\n]"
    }
}
