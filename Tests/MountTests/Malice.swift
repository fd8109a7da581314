import Foundation
import ObjectStore
import TestSupport
import Testing

/// The data of a store that wants to harm its readers.
enum Malice {
    /// Text that clears a terminal, names its window, colors it (also in the one-character form of C1), answers back,
    /// forges a line, and turns text around.
    static let text =
        "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{90}$q\"p\u{9c}\u{85}tractfs: forged\u{8}\u{7f}\u{202e}txt"
    /// The same, as far as XML allows it.
    static let xmlText = String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 }))
    /// The same without the characters that would end a header.
    static let headers = [
        "Server": text, "x-amz-request-id": text, "x-amz-id-2": text, "Location": "http://\(text)/",
        "x-amz-bucket-region": text, "ETag": text, "Content-Range": text, "Date": text, "Retry-After": text,
    ]

    /// An error document whose every text is hostile.
    static let errorDocument = """
        <Error><Code>\(xmlText)</Code><Message>\(xmlText)</Message><Region>\(xmlText)</Region>\
        <RequestId>\(xmlText)</RequestId><Endpoint>\(xmlText)</Endpoint></Error>
        """

    /// XML that grows, refers outside or nests without end, and the places where it may stand.
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

    /// Keys that cannot be paths, or must not reach a terminal.
    static let keys: [Key] = [
        Key([UInt8(ascii: "n"), 0, UInt8(ascii: "l")]), "..", "../escaped", "a/../../escaped", "./dot", "a//b",
        "/etc/evil",
        Key(text), Key(text + "/below"), "line\nbreak", "carriage\rreturn", Key([0x9b, 0x33, 0x31, 0x6d]),
        Key([0xff, 0xfe]),
        "a/..", "a/.", "plain/file",
    ]
}

/// Expects text that a terminal shows as it is: valid UTF-8, without control characters except ends of lines, and
/// without characters that turn text around.
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
