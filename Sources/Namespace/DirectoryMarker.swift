import ObjectStore

extension Key {
    /// Returns `true` if an object of this key is the marker of the directory of `prefix`: the key is that very prefix.
    ///
    /// Consoles and tools create markers to show empty folders. The size doesn't matter: a marker with content is no
    /// file either, since no path has an empty last component. A marker proves that its directory exists, and nothing
    /// more. It is no entry, and its content can't be read.
    func isDirectoryMarker(of prefix: Key) -> Bool { self == prefix }
}
