import ObjectStore

extension Key {
    /// The smallest key behind all that begin with this one; `nil` where there is none.
    var endOfPrefix: Key? {
        var bytes = self.bytes
        while let last = bytes.popLast() {
            if last < .max { return Key(bytes + [last + 1]) }
        }
        return nil
    }
}
