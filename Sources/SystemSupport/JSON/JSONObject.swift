/// A JSON object, with its members in the order in which they were given. Its description is the document, in one line.
public struct JSONObject: Sendable, Equatable {
    /// The value of a member.
    public typealias Value = JSONValue
    /// A member: its name and its value.
    public typealias Member = (name: String, value: Value)

    private var members: [Member]

    /// Creates an object with these members.
    public init(_ members: [Member]) {
        self.members = members
    }

    /// The value of the member `name`, the last one if there are several. Setting it replaces that member or appends
    /// one; setting `nil` removes all.
    public subscript(name: String) -> Value? {
        get { members.last { $0.name == name }?.value }
        set {
            guard let newValue else { return members.removeAll { $0.name == name } }
            if let index = members.lastIndex(where: { $0.name == name }) {
                members[index].value = newValue
            } else {
                members.append((name, newValue))
            }
        }
    }

    /// Compares the members, and their order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.elementsEqual(right.members) { $0 == $1 }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral, CustomStringConvertible {
    /// Creates an object with the members of a literal.
    public init(dictionaryLiteral members: (String, Value)...) {
        self.init(members.map { (name: $0.0, value: $0.1) })
    }

    /// The document.
    public var description: String {
        let texts = members.map { "\(JSONValue.quoted($0.name)): \($0.value)" }
        return "{\(texts.joined(separator: ", "))}"
    }
}
