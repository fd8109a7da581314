/// What mounts say of themselves, for programs.
enum StatusJSON {
    /// One mount: where it is, and behind that what its server said, member by member; "error" alone where it said nothing.
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
            // The server's is an object, and not an empty one: both are one when their braces meet.
            return "\(JSONObject(head))".dropLast() + ", " + answer.drop { $0 != "{" }.dropFirst()
        }
    }

    /// Several mounts, a line each.
    static func array(_ mounts: [AskedMount]) -> String {
        mounts.isEmpty ? "[]" : "[\n" + mounts.map { "  " + object($0) }.joined(separator: ",\n") + "\n]"
    }
}
