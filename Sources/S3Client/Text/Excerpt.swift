import ObjectStore
import SystemSupport

/// The beginning of a text of a server, for a log or an error message: one line, short, without control characters and
/// without HTML tags.
enum Excerpt {
    /// Returns the beginning of `bytes` as plain text, at most `limit` characters.
    static func of(_ bytes: some Sequence<UInt8>, limit: Int = 200) -> String {
        var text = ""
        var count = 0
        var isInTag = false
        var needsSpace = false
        for scalar in String(decoding: Array(bytes), as: UTF8.self).unicodeScalars {
            if scalar == "<" || (isInTag && scalar == ">") {
                isInTag = scalar == "<"
                needsSpace = true
            } else if isInTag {
                continue
            } else if isBlank(scalar) {
                needsSpace = true
            } else {
                if needsSpace && count > 0 { text += " " }
                needsSpace = false
                text.unicodeScalars.append(scalar)
                count += 1
                if count == limit { return text + "…" }
            }
        }
        return text
    }

    /// Returns `true` if bytes that should be XML begin like a web page.
    static func looksLikeHTML(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes.prefix(512), as: UTF8.self).lowercased()
        return ["<html", "<!doctype html"].contains { text.contains($0) }
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .spaceSeparator, .surrogate, .privateUse: true
        default: scalar.isControlOrFormat
        }
    }
}
