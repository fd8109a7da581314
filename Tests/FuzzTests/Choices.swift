/// The first bytes of a fuzzer's input, used as the choices of a test. The rest is the input of the reader.
struct Choices {
    /// The bytes that no choice has used.
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    /// A number below `limit`; 0 at the end.
    mutating func number(below limit: Int) -> Int {
        Int(rest.popFirst() ?? 0) % limit
    }

    /// The bytes up to the next line break, which is taken too.
    mutating func line() -> [UInt8] {
        let line = rest.prefix { $0 != UInt8(ascii: "\n") }
        rest = rest.dropFirst(line.count + 1)
        return Array(line)
    }
}
