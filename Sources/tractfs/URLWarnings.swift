import CommandOutput
import FileSystem
import ObjectStore
import Settings
import SystemSupport

/// Warnings about the validity of presigned URLs, each printed once.
struct URLWarnings {
    private let asked: URLLifetime
    private var toldConstraints: Set<ObjectURL.Constraint> = []
    private var hasToldOfDots = false

    /// Creates warnings of which none was printed.
    ///
    /// - Parameter asked: The requested validity.
    init(asked: URLLifetime) {
        self.asked = asked
    }

    /// Prints the warnings about the URL of a file.
    mutating func note(_ file: PresignedFile) {
        if let constraint = file.url.constraint, toldConstraints.insert(constraint).inserted {
            StandardError.tell("warning: " + Self.text(constraint, until: file.url.expiry, asked: asked))
        }
        if !hasToldOfDots, Self.hasDotComponent(file.key) {
            hasToldOfDots = true
            StandardError.tell(
                "warning: \(file.key) has \".\" or \"..\" between slashes, which most programs take out of a URL, and which "
                    + "then doesn't work (curl needs --path-as-is)")
        }
    }

    static func text(_ constraint: ObjectURL.Constraint, until expiry: Timestamp?, asked: URLLifetime) -> String {
        let end = expiry?.utcText ?? "an unknown time"
        let effect = "URLs signed now work until \(end), not for \(asked)"
        switch constraint {
        case .credentialsExpiry: return "\(effect): the credentials that sign them end then"
        case .sessionMaximum: return "\(effect): temporary credentials sign for 36 hours at the most"
        case .instanceMaximum:
            return "\(effect): the credentials of a machine or a container sign for 6 hours at the most"
        case .unknownExpiry:
            return
                "URLs stop working when the temporary credentials end that sign them, by \(end) at the latest: nothing "
                + "says when that is"
        }
    }

    private static func hasDotComponent(_ key: Key) -> Bool {
        key.bytes.split(separator: Key.delimiter).contains { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }
    }
}
