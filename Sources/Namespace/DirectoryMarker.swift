import ObjectStore

extension Key {
    /// Returns `true` if an object of this key is the marker of the directory of `prefix`: its key is that very prefix.
    ///
    /// Consoles and tools make markers to show empty folders. A marker is a directory's marker whatever its size: a marker
    /// with content is no file either, since no path can name a file whose name is empty. So a marker proves that its
    /// directory exists, and nothing more: it is no entry, and its content can't be read.
    func isDirectoryMarker(of prefix: Key) -> Bool { self == prefix }
}
