import ObjectStore

/// The meaning of a key, or a common prefix, for the directory that a listing found it in.
///
/// All keys become names here, for lookups and readdir alike: the bytes between the directory's prefix and the next "/"
/// are the name of a directory if there is such a "/", also for a key deeper down, and of a file otherwise.
/// docs/SEMANTICS.md has the rules.
enum KeyClassification: Equatable {
    /// The directory's own marker, of any size. It is no entry of the directory.
    case marker
    /// A file with this name: a valid `Name`, in the key's bytes.
    case file(ArraySlice<UInt8>)
    /// A directory with this name.
    case directory(ArraySlice<UInt8>)
    /// A key that no path can name.
    case hidden(Name.Flaw)

    /// Classifies a key that begins with `prefix`, which ends in "/" or is empty.
    init(_ key: Key, below prefix: Key) {
        if key.isDirectoryMarker(of: prefix) {
            self = .marker
            return
        }
        let relative = key.bytes.dropFirst(prefix.bytes.count)
        let end = relative.firstIndex(of: Key.delimiter)
        let name = relative[..<(end ?? relative.endIndex)]
        if let flaw = Name.flaw(of: name) {
            self = .hidden(flaw)
        } else {
            self = end == nil ? .file(name) : .directory(name)
        }
    }
}
