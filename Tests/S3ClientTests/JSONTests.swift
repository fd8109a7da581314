import Foundation
import TestSupport
import Testing

@testable import S3Client

@Suite struct `A JSON document` {
    @Test(
        arguments: [
            ("null", .null), (" true ", .bool(true)), ("-1.5e+2", .number("-1.5e+2")), ("\"\"", .string("")),
            (#""a\"\\\/\b\f\n\r\t\u00e9\ud83e\udde0é""#, .string("a\"\\/\u{8}\u{c}\n\r\té🧠é")),
            ("[]", .array([])), ("[1,[2]]", .array([.number("1"), .array([.number("2")])])),
            (#"{"a":{},"b" : [ null ]}"#, .object(["a": .object([:]), "b": .array([.null])])),
        ] as [(String, JSONValue)])
    func `a JSON document is parsed, and written so that it can be parsed again`(text: String, value: JSONValue) {
        #expect(JSONValue(parsing: Array(text.utf8)) == value)
        #expect(JSONValue(parsing: Array(value.document.utf8)) == value)
    }

    @Test(arguments: [
        "", "nul", "truee", "01", "1.", "-", "+1", ".5", "1e", "\"", "\"\u{1}\"", #""\x""#, #""\u12""#, #""\ud800""#,
        #""\ud800\u0041""#, #""\u+123""#, "[", "[1", "[1,]", "{", "{a:1}", #"{"a"}"#, #"{"a":1,}"#, "1 2",
        String(repeating: "[", count: 100_000),
    ])
    func `text that is not JSON is refused`(text: String) {
        #expect(JSONValue(parsing: Array(text.utf8)) == nil)
    }

    @Test func `a JSON document that is not UTF-8 is refused`() {
        #expect(JSONValue(parsing: [0x22, 0xff, 0x22]) == nil)
    }

    @Test func `a JSON document with random damage is accepted or refused as by Foundation`() {
        let seed = UInt64.random(in: 0..<1_000_000)
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        let text = Array(#"{"AccessKeyId": "A\u0041", "n": [1, -2.5e3, true, null], "o": {"x": "y\n"}}"#.utf8)
        let letters = Array(#"{}[]",:\u0-1e.tnfx "#.utf8)
        for _ in 0..<3_000 {
            var damaged = text
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                damaged[Int.random(in: 0..<damaged.count, using: &generator)] =
                    letters[Int.random(in: 0..<letters.count, using: &generator)]
            }
            let theirs =
                (try? JSONSerialization.jsonObject(with: Data(damaged), options: .fragmentsAllowed)) != nil
            let ours = JSONValue(parsing: damaged) != nil
            // Foundation refuses numbers that it cannot represent, which contain no credentials either.
            if ours != theirs, !(ours && damaged.contains(UInt8(ascii: "e"))) {
                Issue.record("seed \(seed): \(String(decoding: damaged, as: UTF8.self)): \(ours), Foundation \(theirs)")
            }
        }
    }
}
