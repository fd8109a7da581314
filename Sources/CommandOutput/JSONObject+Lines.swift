package import SystemSupport

extension JSONObject {
    /// Returns a JSON array of `objects`, one per line.
    package static func lines(_ objects: [JSONObject]) -> String {
        "[\n" + objects.map { "  \($0)" }.joined(separator: ",\n") + "\n]\n"
    }
}
