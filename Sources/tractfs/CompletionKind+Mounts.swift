import ArgumentParser
import Mounting
import Settings

extension CompletionKind {
    /// The mount points of our mounts.
    static var mounts: CompletionKind {
        .custom { _, _, _ in
            let entries = (try? MountTable())?.entries ?? []
            return OfferedWords(entries.filter(\.isOurs).map(\.mountPoint)).escaped(for: .requesting)
        }
    }
}
