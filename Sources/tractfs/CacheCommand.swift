import ArgumentParser

/// `tractfs cache`: what may be done with the cache on the local disk, with mounts at work or without.
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Show, check or clear what mounts keep on the local disk.",
        discussion: """
            Mounts keep what was read in a folder, for the next reads, the next mounts and each other. All of this is safe \
            while mounts use it.
            """,
        subcommands: [CacheListCommand.self, CacheVerifyCommand.self, CacheClearCommand.self])
}
