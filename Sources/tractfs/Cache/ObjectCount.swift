/// A number of objects, in words.
struct ObjectCount: CustomStringConvertible {
    private let count: Int

    init(_ count: Int) {
        self.count = count
    }

    var description: String { count == 1 ? "1 object" : "\(count) objects" }
}
