internal import CExpat
import Glibc

/// The receiver of the elements of an XML document.
protocol XMLConsumer: AnyObject {
    /// Receives the begin of an element. The root has depth 1.
    func begin(_ element: XMLName, depth: Int)

    /// Receives the end of an element. `text` is the text directly in it, in a buffer that is reused after the call.
    func end(_ element: XMLName, depth: Int, text: [UInt8])
}

/// The name of an element without the prefix of a namespace, for comparison with known names. It is valid only during
/// the call of the consumer.
struct XMLName {
    private let bytes: UnsafePointer<CChar>

    fileprivate init(bytes: UnsafePointer<CChar>) {
        self.bytes = strrchr(bytes, CInt(UInt8(ascii: ":"))).map { UnsafePointer($0 + 1) } ?? bytes
    }

    static func == (name: XMLName, known: StaticString) -> Bool {
        strcmp(name.bytes, UnsafeRawPointer(known.utf8Start).assumingMemoryBound(to: CChar.self)) == 0
    }

    /// Lets known names be the cases of a `switch`.
    static func ~= (known: StaticString, name: XMLName) -> Bool {
        name == known
    }
}

/// The reason that a document can't be read.
struct XMLError: Error, Equatable {
    let reason: String
}

/// A reader of an XML document in pieces, by expat. A document of a hostile server uses bounded memory: a DOCTYPE is
/// refused, so that there are no entities but XML's own five, and the depth and the length of texts are limited.
final class XMLReader {
    /// The most nested elements. S3's responses have four levels.
    private static let depthLimit = 16
    /// The longest text. A key has at most 1,024 bytes, 3,072 when encoded; messages are short.
    private static let textByteLimit = 64 * 1_024
    /// The most bytes without an event. Expat buffers a name, a start tag or a comment until its end; those of S3 have
    /// some dozens of bytes.
    private static let silentByteLimit = 256 * 1_024

    private let parser: XML_Parser
    private let consumer: any XMLConsumer
    // One value, which each callback accesses once: Swift checks every access.
    private var elements = OpenElements()
    /// The number of bytes read since the last event, at least.
    private var silentByteCount = 0
    /// The number of bytes read.
    private var byteCount = 0
    /// The offset behind the last tag after which only the root was open.
    private var rootTagEnd = -1

    fileprivate struct OpenElements {
        var failure: XMLError?
        /// The text of each open element, from the root on, followed by empty buffers for reuse.
        var texts: [[UInt8]] = []
        /// The number of open elements.
        var depth = 0
        /// `true` if the parser has reported an event since the last `takeProgress`.
        var hasProgress = false
    }

    init(consumer: any XMLConsumer) {
        guard let parser = XML_ParserCreate("UTF-8") else { preconditionFailure("out of memory") }
        self.parser = parser
        self.consumer = consumer
        // The parser doesn't outlive this object, and calls back only during `read`.
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

    /// Reads the next bytes of the document.
    ///
    /// - Parameter isLast: `true` if the document ends with these bytes, which may be none.
    func read(_ bytes: RawSpan, isLast: Bool) throws(XMLError) {
        let status = bytes.withUnsafeBytes { buffer in
            XML_Parse(
                parser, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(buffer.count), isLast ? 1 : 0)
        }
        byteCount += bytes.byteCount
        silentByteCount = elements.takeProgress() ? 0 : silentByteCount + bytes.byteCount
        if let failure = elements.failure { throw failure }
        guard silentByteCount <= Self.silentByteLimit else { throw XMLError(reason: "a part of it is too long") }
        guard status == XML_STATUS_OK else {
            let reason = XML_ErrorString(XML_GetErrorCode(parser)).map { String(cString: $0) } ?? "unknown error"
            throw XMLError(reason: "\(reason) in line \(XML_GetCurrentLineNumber(parser))")
        }
    }

    /// `true` directly behind a tag, if only the root is open: whole elements may be left out of the document here.
    var isBetweenElements: Bool { rootTagEnd == byteCount }

    private func noteTag() {
        rootTagEnd = Int(XML_GetCurrentByteIndex(parser)) + Int(XML_GetCurrentByteCount(parser))
    }

    private static func from(_ userData: UnsafeMutableRawPointer?) -> XMLReader {
        guard let userData else { preconditionFailure("expat lost the reader") }
        return Unmanaged<XMLReader>.fromOpaque(userData).takeUnretainedValue()
    }

    private func begin(_ name: UnsafePointer<CChar>?) {
        guard let name, let depth = elements.open() else { return }
        guard depth <= Self.depthLimit else { return stop("its elements are nested too deep") }
        if depth == 1 { noteTag() }
        consumer.begin(XMLName(bytes: name), depth: depth)
    }

    private func end(_ name: UnsafePointer<CChar>?) {
        guard let name else { return }
        elements.close { depth, text in
            if depth == 2 { noteTag() } else if depth == 1 { rootTagEnd = -1 }
            consumer.end(XMLName(bytes: name), depth: depth, text: text)
        }
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
    /// Returns `true` if there was an event since the last call.
    mutating func takeProgress() -> Bool {
        defer { hasProgress = false }
        return hasProgress
    }

    /// Records the begin of an element. Returns the number of open elements; `nil` after a failure.
    mutating func open() -> Int? {
        if failure != nil { return nil }
        hasProgress = true
        if depth == texts.count { texts.append([]) }
        depth += 1
        return depth
    }

    /// Records the end of the innermost element. Calls `body` with its depth and its text, except after a failure.
    mutating func close(_ body: (Int, [UInt8]) -> Void) {
        guard failure == nil, depth > 0 else { return }
        hasProgress = true
        body(depth, texts[depth - 1])
        depth -= 1
        texts[depth].removeAll(keepingCapacity: true)
    }

    /// Appends to the text of the innermost element. Returns `false` if that gets too long.
    mutating func append(_ text: UnsafeRawBufferPointer, limit: Int) -> Bool {
        guard failure == nil, depth > 0 else { return true }
        hasProgress = true
        guard texts[depth - 1].count + text.count <= limit else { return false }
        texts[depth - 1].append(contentsOf: text)
        return true
    }
}
