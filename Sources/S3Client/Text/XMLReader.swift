internal import CExpat
import Glibc

/// Who is told what an XML document holds.
protocol XMLConsumer: AnyObject {
    /// An element begins; the root has depth 1.
    func begin(_ element: XMLName, depth: Int)

    /// An element ends. `text` is what stood directly in it: it lies in a buffer that is used again, so who keeps it makes
    /// a copy.
    func end(_ element: XMLName, depth: Int, text: [UInt8])
}

/// The name of an element, to be compared with names that are known; valid only during the call that tells of it. The prefix of a
/// namespace does not count.
struct XMLName {
    private let bytes: UnsafePointer<CChar>

    fileprivate init(bytes: UnsafePointer<CChar>) {
        self.bytes = strrchr(bytes, CInt(UInt8(ascii: ":"))).map { UnsafePointer($0 + 1) } ?? bytes
    }

    static func == (name: XMLName, known: StaticString) -> Bool {
        strcmp(name.bytes, UnsafeRawPointer(known.utf8Start).assumingMemoryBound(to: CChar.self)) == 0
    }

    /// So that names can be the cases of a `switch`.
    static func ~= (known: StaticString, name: XMLName) -> Bool {
        name == known
    }
}

/// Why a document can't be read.
struct XMLError: Error, Equatable {
    let reason: String
}

/// Reads an XML document piece by piece, by expat. A document from a hostile server costs bounded memory: there are no
/// entities but XML's own five, because a DOCTYPE is refused, and depth and texts have a limit.
final class XMLReader {
    /// S3's answers are four deep.
    private static let depthLimit = 16
    /// A key has at most 1,024 bytes, 3,072 when encoded; a message is short.
    private static let textByteLimit = 64 * 1_024
    /// Expat keeps what it can't tell of before its end, such as a name, a start tag or a comment. S3's have some dozens of
    /// bytes.
    private static let silentByteLimit = 256 * 1_024

    private let parser: XML_Parser
    private let consumer: any XMLConsumer
    // In one value, of which each callback makes one access: Swift checks every one of them.
    private var elements = OpenElements()
    /// How many bytes were read, at the least, since the parser last told of something.
    private var silentByteCount = 0

    fileprivate struct OpenElements {
        var failure: XMLError?
        /// The text of each open element, from the root on; behind those, empty buffers that were used before.
        var texts: [[UInt8]] = []
        /// How many elements are open.
        var depth = 0
        /// Whether the parser has told of anything since this was last looked at.
        var isTold = false
    }

    init(consumer: any XMLConsumer) {
        guard let parser = XML_ParserCreate("UTF-8") else { preconditionFailure("out of memory") }
        self.parser = parser
        self.consumer = consumer
        // The parser doesn't outlive this object, and it calls back only while `read` runs.
        XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
        XML_SetElementHandler(
            parser,
            { reader, name, _ in XMLReader.from(reader).begin(name) },
            { reader, name in XMLReader.from(reader).end(name) })
        XML_SetCharacterDataHandler(parser) { reader, text, count in
            XMLReader.from(reader).append(UnsafeRawBufferPointer(start: text, count: Int(count)))
        }
        XML_SetStartDoctypeDeclHandler(parser) { reader, _, _, _, _ in
            XMLReader.from(reader).stop("it has a DOCTYPE")
        }
    }

    deinit {
        XML_ParserFree(parser)
    }

    /// Reads on.
    ///
    /// - Parameter isLast: Whether the document ends with these bytes, which may be none.
    func read(_ bytes: RawSpan, isLast: Bool) throws(XMLError) {
        let status = bytes.withUnsafeBytes { buffer in
            XML_Parse(
                parser, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(buffer.count), isLast ? 1 : 0)
        }
        silentByteCount = elements.takeIsTold() ? 0 : silentByteCount + bytes.byteCount
        if let failure = elements.failure { throw failure }
        guard silentByteCount <= Self.silentByteLimit else { throw XMLError(reason: "a part of it is too long") }
        guard status == XML_STATUS_OK else {
            let reason = XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) } ?? "unknown error"
            throw XMLError(reason: "\(reason) in line \(XML_GetCurrentLineNumber(parser))")
        }
    }

    private static func from(_ userData: UnsafeMutableRawPointer?) -> XMLReader {
        guard let userData else { preconditionFailure("expat lost the reader") }
        return Unmanaged<XMLReader>.fromOpaque(userData).takeUnretainedValue()
    }

    private func begin(_ name: UnsafePointer<CChar>?) {
        guard let name, let depth = elements.open() else { return }
        guard depth <= Self.depthLimit else { return stop("its elements are nested too deep") }
        consumer.begin(XMLName(bytes: name), depth: depth)
    }

    private func end(_ name: UnsafePointer<CChar>?) {
        guard let name else { return }
        elements.close { depth, text in consumer.end(XMLName(bytes: name), depth: depth, text: text) }
    }

    private func append(_ text: UnsafeRawBufferPointer) {
        if !elements.append(text, limit: Self.textByteLimit) { stop("a text in it is too long") }
    }

    private func stop(_ reason: String) {
        elements.failure = XMLError(reason: reason)
        XML_StopParser(parser, 0)
    }
}

extension XMLReader.OpenElements {
    /// Whether anything was told since the last call.
    mutating func takeIsTold() -> Bool {
        defer { isTold = false }
        return isTold
    }

    /// An element begins. Returns how many are open now; `nil` where nothing matters any more.
    mutating func open() -> Int? {
        if failure != nil { return nil }
        isTold = true
        if depth == texts.count { texts.append([]) }
        depth += 1
        return depth
    }

    /// The innermost element ends. Calls `body` with its depth and its text, unless nothing matters any more.
    mutating func close(_ body: (Int, [UInt8]) -> Void) {
        guard failure == nil, depth > 0 else { return }
        isTold = true
        body(depth, texts[depth - 1])
        depth -= 1
        texts[depth].removeAll(keepingCapacity: true)
    }

    /// Text of the innermost element. Returns `false` where that has too much.
    mutating func append(_ text: UnsafeRawBufferPointer, limit: Int) -> Bool {
        guard failure == nil, depth > 0 else { return true }
        isTold = true
        guard texts[depth - 1].count + text.count <= limit else { return false }
        texts[depth - 1].append(contentsOf: text)
        return true
    }
}
