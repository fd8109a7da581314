import ArgumentParser

/// `tractfs cache`: operations on the cache on the local disk, which mounts may use meanwhile.
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "List, verify or clear the cache on the local disk.",
        discussion: """
            Mounts cache what was read in a folder, for later reads and for other mounts. All of these commands are safe while \
            mounts use it.
            """,
        subcommands: [CacheListCommand.self, CacheVerifyCommand.self, CacheClearCommand.self])
}
