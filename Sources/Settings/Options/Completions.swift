package import ArgumentParser
import S3Client
import SystemSupport

// The values that a shell offers for arguments. Its script (`--generate-completion-script`) runs this program to list
// them.

extension CompletionKind {
    /// The profiles in the files that the AWS tools share.
    package static var profiles: CompletionKind {
        .custom { _, _, _ in
            let names = SharedConfiguration.profileNames(environment: Environment.variables())
            return OfferedWords(names).escaped(for: .requesting)
        }
    }

    /// A bucket or a prefix. Nothing is offered, since no store is asked; but fish's script counts only arguments with
    /// a completion.
    package static var bucket: CompletionKind { .custom { _, _, _ in [] } }

    /// The cases of a type.
    package static func cases<Value: CaseIterable & RawRepresentable>(of type: Value.Type) -> CompletionKind
    where Value.RawValue == String {
        .list(type.allCases.map(\.rawValue))
    }
}

/// Words that a shell offers, such as folders that other users have named.
package struct OfferedWords {
    private let words: [String]

    /// Creates an offer of `words`, without those with control characters: a shell reads one word per line.
    package init(_ words: [String]) {
        self.words = words.filter { word in !word.unicodeScalars.contains { $0.properties.generalCategory == .control }
        }
    }

    /// Returns the words as the script of a shell needs them to take them literally. bash expands offered words unless
    /// they are quoted, and then doesn't quote "$(…)" in the line: words that it could execute are left out. zsh takes
    /// the text behind a colon for a description.
    package func escaped(for shell: CompletionShell?) -> [String] {
        switch shell {
        case .bash?:
            words.filter { !$0.contains("$") && !$0.contains("`") }.map(\.shellQuoted)
        case .zsh?: words.map { $0.replacing("\\", with: "\\\\").replacing(":", with: "\\:") }
        default: words
        }
    }
}
