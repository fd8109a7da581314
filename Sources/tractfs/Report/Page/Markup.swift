import ObjectStore
import SystemSupport

/// A piece of HTML that is also well-formed XML. Interpolated values are escaped unless they are markup, so escaping
/// can't be forgotten.
struct Markup: ExpressibleByStringInterpolation {
    let text: String

    init(stringLiteral text: String) {
        self.text = text
    }

    init(stringInterpolation interpolation: Interpolation) {
        text = interpolation.text
    }

    /// Concatenates several pieces.
    init(_ pieces: [Markup]) {
        text = pieces.map(\.text).joined(separator: "\n")
    }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity * 2)
        }

        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ content: String) { text += Markup.escaped(content) }
        mutating func appendInterpolation(_ markup: Markup) { text += markup.text }
        mutating func appendInterpolation(_ markups: [Markup]) { text += Markup(markups).text }
        mutating func appendInterpolation(_ number: Int) { text += "\(number)" }
        /// Appends a coordinate with one decimal; negative values become 0.
        mutating func appendInterpolation(_ coordinate: Double) { text += Decimals.text(max(coordinate, 0), 1) }
    }

    /// Returns text escaped for content and attributes. Invisible control characters are written as `\u{1B}`: names
    /// come from any user who can write to the bucket.
    private static func escaped(_ content: String) -> String {
        var text = ""
        for scalar in content.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&#39;"
            case _ where scalar.isControlOrFormat || scalar.properties.isNoncharacterCodePoint:
                text += scalar.escaped(asASCII: true)
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
