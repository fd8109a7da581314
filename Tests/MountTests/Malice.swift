import Foundation
import ObjectStore
import TestSupport
import Testing

/// The data of a store that wants to harm its readers.
enum Malice {
    /// Clears a terminal, names its window, colours it (in C1's one-character form too), answers back, forges a line, and
    /// turns text round.
    static let text =
        "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{90}$q\"p\u{9c}\u{85}tractfs: forged\u{8}\u{7f}\u{202e}txt"
    /// The same of what XML lets in.
    static let xmlText = String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 }))
    /// Without what would end a header.
    static let headers = [
        "Server": text, "x-amz-request-id": text, "x-amz-id-2": text, "Location": "http://\(text)/",
        "x-amz-bucket-region": text, "ETag": text, "Content-Range": text, "Date": text, "Retry-After": text,
    ]

    /// An error document whose every text is hostile.
    static let errorDocument = """
        <Error><Code>\(xmlText)</Code><Message>\(xmlText)</Message><Region>\(xmlText)</Region>\
        <RequestId>\(xmlText)</RequestId><Endpoint>\(xmlText)</Endpoint></Error>
        """

    /// XML that grows, reaches out, or goes down and down, and where it may stand.
    static let documents: [(name: String, text: String)] = [
        ("entities of entities", entities),
        (
            "an external entity",
            "<!DOCTYPE l [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><ListBucketResult><Name>&x;</Name></ListBucketResult>"
        ),
        ("an external DTD", "<!DOCTYPE l SYSTEM \"http://127.0.0.1:1/evil.dtd\"><ListBucketResult></ListBucketResult>"),
        ("a million elements deep", String(repeating: "<a>", count: 1_000_000)),
        (
            "a million elements deep below a listing",
            "<ListBucketResult><Contents>" + String(repeating: "<a>", count: 1_000_000)
        ),
        ("a name of a megabyte", "<" + String(repeating: "n", count: 4 << 20) + ">"),
        ("a text of 16 megabytes", "<ListBucketResult><Name>" + String(repeating: "t", count: 16 << 20)),
        (
            "a hundred thousand attributes",
            "<ListBucketResult " + (0..<100_000).map { "a\($0)=\"\"" }.joined(separator: " ") + ">"
        ),
        ("a comment of 16 megabytes", "<ListBucketResult><!--" + String(repeating: "c", count: 16 << 20)),
        ("a null byte", "<ListBucketResult>\0</ListBucketResult>"),
    ]

    private static var entities: String {
        let levels = (1...12).map { "<!ENTITY l\($0) \"\(String(repeating: "&l\($0 - 1);", count: 10))\">" }
        return
            "<!DOCTYPE l [<!ENTITY l0 \"lol\">\(levels.joined())]><ListBucketResult><Name>&l12;</Name></ListBucketResult>"
    }

    /// Keys that no path should be, or no terminal shown.
    static let keys: [Key] = [
        Key([UInt8(ascii: "n"), 0, UInt8(ascii: "l")]), "..", "../escaped", "a/../../escaped", "./dot", "a//b",
        "/etc/evil",
        Key(text), Key(text + "/below"), "line\nbreak", "carriage\rreturn", Key([0x9b, 0x33, 0x31, 0x6d]),
        Key([0xff, 0xfe]),
        "a/..", "a/.", "plain/file",
    ]
}

/// Expects that a terminal shows the text as it stands: no control characters but the ends of lines, nothing that is no
/// UTF-8, and nothing that turns text round.
func expectPrintable(_ bytes: Data, _ what: String, sourceLocation: SourceLocation = #_sourceLocation) {
    guard let text = String(data: bytes, encoding: .utf8) else {
        Issue.record("\(what) is no UTF-8: \(bytes.map { String($0, radix: 16) })", sourceLocation: sourceLocation)
        return
    }
    let bad = text.unicodeScalars.filter { scalar in
        switch scalar.properties.generalCategory {
        case .control: scalar != "\n" && scalar != "\t"
        case .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
    let marked = bad.isEmpty ? "" : text.debugDescription
    #expect(bad.isEmpty, "\(what): \(marked.prefix(600))", sourceLocation: sourceLocation)
    #expect(!text.contains("\ntractfs: forged"), "\(what)", sourceLocation: sourceLocation)
}
