import Foundation
import SystemSupport
import TestSupport
import Testing

@Suite("JSON documents") struct JSONTests {
    @Test(
        arguments: [
            ("null", .null), (" true ", .bool(true)), ("-1.5e+2", .real(-150)), ("12", .number(12)),
            ("\"\"", .string("")),
            (#""a\"\\\/\b\f\n\r\t\u00e9\ud83e\udde0é""#, .string("a\"\\/\u{8}\u{c}\n\r\té🧠é")),
            ("[]", .array([])), ("[1,[2]]", .array([.number(1), .array([.number(2)])])),
            (#"{"b":{},"a" : [ null ]}"#, .object(["b": .object([:]), "a": .array([.null])])),
        ] as [(String, JSONValue)])
    func `A JSON document is read, and written so that it can be read again`(text: String, value: JSONValue) {
        #expect(JSONValue(parsing: Array(text.utf8)) == value)
        #expect(JSONValue(parsing: Array("\(value)".utf8)) == value)
    }

    @Test(arguments: [
        "", "nul", "truee", "01", "1.", "-", "+1", ".5", "1e", "\"", "\"\u{1}\"", #""\x""#, #""\u12""#, #""\ud800""#,
        #""\ud800\u0041""#, #""\u+123""#, "[", "[1", "[1,]", "{", "{a:1}", #"{"a"}"#, #"{"a":1,}"#, "1 2",
        "1e999", String(repeating: "[", count: 100_000),
    ])
    func `A malformed JSON document is refused`(text: String) {
        #expect(JSONValue(parsing: Array(text.utf8)) == nil)
    }

    @Test func `A JSON object keeps the order of its members`() {
        var object: JSONObject = ["b": .number(1), "a": .string("\u{1B}\u{202E}\n\"\\é")]
        #expect("\(object)" == #"{"b": 1, "a": "\u001b\u202e\u000a\"\\é"}"#)
        object["b"] = .null
        object["c"] = .bool(true)
        object["a"] = nil
        #expect("\(object)" == #"{"b": null, "c": true}"#)
        #expect(object["b"] == .null && object["a"] == nil)
    }

    @Test func `A JSON document with invalid UTF-8 is refused`() {
        #expect(JSONValue(parsing: [0x22, 0xff, 0x22]) == nil)
    }

    @Test func `A randomly damaged JSON document is read or refused as by Foundation`() {
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
            // Foundation also refuses numbers that are too small for a Double.
            if ours != theirs, !(ours && damaged.contains(UInt8(ascii: "e"))) {
                Issue.record("seed \(seed): \(String(decoding: damaged, as: UTF8.self)): \(ours), Foundation \(theirs)")
            }
        }
    }
}
