import ObjectStore
import Testing

@testable import Namespace

@Suite("Names") struct NameTests {
    @Test(
        "a name is valid if it can be a component of a path",
        arguments: [
            ("a", nil), ("a b+%20#&'\"\\", nil), ("é", nil), ("\t\n", nil), (String(repeating: "x", count: 255), nil),
            ("...", nil), ("", Name.Flaw.empty), (".", .dots), ("..", .dots), ("a/b", .forbiddenByte),
            ("a\u{0}", .forbiddenByte), (String(repeating: "x", count: 256), .tooLong),
        ] as [(String, Name.Flaw?)])
    func flaws(text: String, flaw: Name.Flaw?) {
        let result = Result { () throws(Name.Flaw) in try Name(text.utf8) }
        switch result {
        case .success(let name): #expect(name.bytes == Array(text.utf8) && flaw == nil)
        case .failure(let found): #expect(found == flaw)
        }
    }

    @Test(
        "a key in a directory is classified as file, directory, marker or hidden",
        arguments: [
            ("d/f", "file f"), ("d/", "marker"), ("d/s/", "directory s"), ("d/s/t/u", "directory s"),
            ("d//x", "hidden"),
            ("d/./x", "hidden"), ("d/..", "hidden"), ("d/s//x", "directory s"),
        ])
    func classification(key: String, expected: String) {
        let text =
            switch KeyClassification(Key(key), below: "d/") {
            case .marker: "marker"
            case .file(let name): "file \(String(decoding: name, as: UTF8.self))"
            case .directory(let name): "directory \(String(decoding: name, as: UTF8.self))"
            case .hidden: "hidden"
            }
        #expect(text == expected)
    }

    @Test func `entries are in the order of their keys`() throws {
        let names = try ["a", "a-", "a.txt", "a0", "aa", "b", "é", "a\u{1}"].map { try Name($0.utf8) }
        let sortKeys = names.flatMap { [EntrySortKey($0, isDirectory: false), EntrySortKey($0, isDirectory: true)] }
        func key(_ sortKey: EntrySortKey) -> Key { Key(sortKey.name.bytes + (sortKey.isDirectory ? [47] : [])) }
        for left in sortKeys {
            for right in sortKeys {
                #expect((left < right) == (key(left) < key(right)), "\(key(left)) and \(key(right))")
            }
        }
    }
}
