import ObjectStore
import SystemSupport

/// Text from outside, made fit for a log or an error message: one line, no control characters, not long, and of HTML
/// only what a browser would show.
enum Excerpt {
    /// The beginning of `bytes` as plain text, at most `limit` characters.
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

    /// Whether bytes that should be XML begin as a web page does.
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
