/// A JSON object whose member names are data: written in the order of the elements and exactly as named.
package struct NamedValues<Value: Codable & Sendable>: Codable, Sendable, ExpressibleByDictionaryLiteral {
    /// The members. Decoding sorts them by name.
    package var elements: [(name: String, value: Value)]

    /// Creates an object with these members.
    package init(_ elements: [(name: String, value: Value)] = []) {
        self.elements = elements
    }

    /// Creates an object with these members.
    package init(dictionaryLiteral elements: (String, Value)...) {
        self.init(elements.map { (name: $0.0, value: $0.1) })
    }

    /// The first value of this name.
    package subscript(name: String) -> Value? {
        elements.first { $0.name == name }?.value
    }

    /// Decodes an object.
    package init(from decoder: any Decoder) throws {
        // A dictionary's keys aren't converted from snake case.
        let values = try decoder.singleValueContainer().decode([String: Value].self)
        self.init(values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) })
    }

    /// Encodes an object.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: MemberName.self)
        for (name, value) in elements { try container.encode(value, forKey: MemberName(stringValue: name)) }
    }
}

/// A name that is not converted to snake case.
struct MemberName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) { nil }
}
