import SystemSupport

/// A value of JSON (RFC 8259) that is being encoded.
///
/// FoundationEssentials' JSONEncoder keeps no order of members and leaves out those that are `nil`. The documents of
/// `tractfs status --json` and `tractfs report --json` have a fixed order, and null.
final class JSONNode {
    fileprivate var text = "null"
    fileprivate var members: [(name: String, value: JSONNode)]?
    fileprivate var elements: [JSONNode]?

    fileprivate init() {}

    /// Encodes a value.
    init(_ value: some Encodable) throws {
        switch value {
        case let value as String: text = "\(JSONValue.string(value))"
        case let value as Bool: text = "\(value)"
        case let value as any BinaryInteger: text = "\(value)"
        case let value as Double: text = value.isFinite ? "\(value)" : "null"
        // A report has 30,000 numbers, and names are bytes: a node for each would take megabytes.
        case let value as [Int]: text = JSONNode.text(of: value)
        case let value as [UInt8]: text = JSONNode.text(of: value)
        default: try value.encode(to: NodeEncoder(node: self))
        }
    }

    /// Appends the text of the value.
    func write(to output: inout String) {
        if let members {
            output += "{"
            for (index, member) in members.enumerated() {
                output += (index == 0 ? "" : ", ") + "\(JSONValue.string(member.name))" + ": "
                member.value.write(to: &output)
            }
            output += "}"
        } else if let elements {
            output += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { output += ", " }
                element.write(to: &output)
            }
            output += "]"
        } else {
            output += text
        }
    }

    private static func text(of numbers: [some BinaryInteger]) -> String {
        "[\(numbers.map { "\($0)" }.joined(separator: ", "))]"
    }
}

private struct NodeEncoder: Encoder {
    let node: JSONNode

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        node.members = node.members ?? []
        return KeyedEncodingContainer(NodeMembers(node: node))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        node.elements = node.elements ?? []
        return NodeElements(node: node)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        NodeText(node: node)
    }
}

private struct NodeMembers<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: JSONNode

    var codingPath: [any CodingKey] { [] }

    func encodeNil(forKey key: Key) {
        _ = add(JSONNode(), key)
    }

    func encode(_ value: some Encodable, forKey key: Key) throws {
        _ = add(try JSONNode(value), key)
    }

    // The standard library's own versions leave `nil` out. They are overridden for all types that have optional
    // members.

    func encodeIfPresent(_ value: (some Encodable)?, forKey key: Key) throws {
        if let value { try encode(value, forKey: key) } else { encodeNil(forKey: key) }
    }

    func encodeIfPresent(_ value: Int?, forKey key: Key) throws {
        if let value { try encode(value, forKey: key) } else { encodeNil(forKey: key) }
    }

    func encodeIfPresent(_ value: Double?, forKey key: Key) throws {
        if let value { try encode(value, forKey: key) } else { encodeNil(forKey: key) }
    }

    func encodeIfPresent(_ value: String?, forKey key: Key) throws {
        if let value { try encode(value, forKey: key) } else { encodeNil(forKey: key) }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        add(JSONNode(), key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        add(JSONNode(), key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { NodeEncoder(node: node) }
    func superEncoder(forKey key: Key) -> any Encoder { add(JSONNode(), key) }

    private func add(_ value: JSONNode, _ key: Key) -> NodeEncoder {
        node.members?.append((key is MemberName ? key.stringValue : NodeMembers.snakeCase(key.stringValue), value))
        return NodeEncoder(node: value)
    }

    private static func snakeCase(_ name: String) -> String {
        name.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : "\($1)" }
    }
}

private struct NodeElements: UnkeyedEncodingContainer {
    let node: JSONNode

    var codingPath: [any CodingKey] { [] }
    var count: Int { node.elements?.count ?? 0 }

    func encodeNil() {
        _ = add(JSONNode())
    }

    func encode(_ value: some Encodable) throws {
        _ = add(try JSONNode(value))
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        add(JSONNode()).container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { add(JSONNode()).unkeyedContainer() }
    func superEncoder() -> any Encoder { add(JSONNode()) }

    private func add(_ value: JSONNode) -> NodeEncoder {
        node.elements?.append(value)
        return NodeEncoder(node: value)
    }
}

private struct NodeText: SingleValueEncodingContainer {
    let node: JSONNode

    var codingPath: [any CodingKey] { [] }

    func encodeNil() {
        node.text = "null"
    }

    func encode(_ value: some Encodable) throws {
        let other = try JSONNode(value)
        (node.text, node.members, node.elements) = (other.text, other.members, other.elements)
    }
}
