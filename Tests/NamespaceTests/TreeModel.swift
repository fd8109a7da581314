import ObjectStore
import TestSupport

@testable import Namespace

/// A set of keys as a tree: a plain and slow version of the rules in docs/SEMANTICS.md, to compare with.
struct TreeModel {
    enum Kind: Equatable {
        case file(Key)
        case directory
    }

    let keys: [Key]

    /// Returns the entries of the directory of `prefix`, by name.
    func entries(of prefix: Key) -> [[UInt8]: Kind] {
        var entries: [[UInt8]: Kind] = [:]
        for key in keys where key.hasPrefix(prefix) && key != prefix {
            let relative = key.bytes.dropFirst(prefix.bytes.count)
            let name = Array(relative.prefix { $0 != UInt8(ascii: "/") })
            let isPathless =
                name.isEmpty || name.count > 255 || name == [46] || name == [46, 46] || name.contains(0)
                || String(validating: name, as: UTF8.self) == nil
            if isPathless { continue }
            if name.count < relative.count {
                entries[name] = .directory
            } else if entries[name] == nil {
                entries[name] = .file(key)
            }
        }
        return entries
    }
}

extension TreeModel.Kind {
    /// The kind of an entry.
    init(_ entry: DirectoryEntry) {
        switch entry.kind {
        case .directory: self = .directory
        case .file(let object): self = .file(object.version.key)
        }
    }
}

/// Returns random keys of few, odd characters, which often collide: names that begin one another, markers, empty
/// components, "." and "..", NUL, bytes around "/", invalid UTF-8, and sometimes a component that is too long.
func oddKeys(count: Int, using random: inout SeededGenerator) -> [Key] {
    let alphabet = ["a", "b", "-", ".", "/", "0", "\u{0}", "é"].map { Array($0.utf8) } + [[0xc3]]
    let keys = (0..<count).map { _ -> Key in
        var bytes = (0..<Int.random(in: 1...6, using: &random)).flatMap { _ in
            alphabet.randomElement(using: &random) ?? []
        }
        if Int.random(in: 0..<50, using: &random) == 0 { bytes += Array(repeating: 97, count: 255) }
        return Key(bytes)
    }
    return Array(Set(keys)).sorted()
}
