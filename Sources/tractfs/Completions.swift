import ArgumentParser
import Mounting
import S3Client

// What a shell offers for arguments whose values this machine knows. Its script (`--generate-completion-script`) runs this
// program to ask for them.

extension CompletionKind {
    /// Where something of ours is mounted.
    static var mounts: CompletionKind {
        .custom { _, _, _ in
            let entries = (try? MountTable())?.entries ?? []
            return OfferedWords(entries.filter(\.isOurs).map(\.mountPoint)).escaped(for: .requesting)
        }
    }

    /// The profiles in the files that the AWS tools share.
    static var profiles: CompletionKind {
        .custom { _, _, _ in
            let names = SharedConfiguration.profileNames(environment: Environment.variables())
            return OfferedWords(names).escaped(for: .requesting)
        }
    }

    /// A bucket or a prefix: nothing, since no store is asked. It is said all the same, because fish's script counts only the
    /// arguments that something is said of.
    static var bucket: CompletionKind { .custom { _, _, _ in [] } }

    /// The cases of a type.
    static func cases<Value: CaseIterable & RawRepresentable>(of type: Value.Type) -> CompletionKind
    where Value.RawValue == String {
        .list(type.allCases.map(\.rawValue))
    }
}

/// Words that a shell is to offer, such as folders that others have named.
struct OfferedWords {
    private let words: [String]

    /// - Parameter words: One with a control character isn't offered: shells are told a word a line.
    init(_ words: [String]) {
        self.words = words.filter { word in !word.unicodeScalars.contains { $0.properties.generalCategory == .control }
        }
    }

    /// The words as a shell's script needs them, to take them for what they are. bash expands words that are offered, unless they
    /// are quoted, and doesn't quote "$(…)" in the line then: what it could run isn't offered. zsh takes what is behind a colon
    /// for a description.
    func escaped(for shell: CompletionShell?) -> [String] {
        switch shell {
        case .bash?:
            words.filter { !$0.contains("$") && !$0.contains("`") }
                .map { "'" + $0.replacing("'", with: "'\\''") + "'" }
        case .zsh?: words.map { $0.replacing("\\", with: "\\\\").replacing(":", with: "\\:") }
        default: words
        }
    }
}
