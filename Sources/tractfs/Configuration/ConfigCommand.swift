import ArgumentParser

/// `tractfs config`.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Show what configuration files and the environment set.",
        discussion: """
            Every option of "tractfs mount" can be set for good: in ~/.config/tractfs/config.toml ($XDG_CONFIG_HOME/tractfs), \
            for all users in /etc/tractfs.toml, and in a variable of the environment (TRACTFS_CACHE_DIR for --cache-dir). \
            "tractfs doctor", "tractfs presign" for s3://… and "tractfs cache" take those that they have too. \
            The nearest counts, option by option: the command line, then the environment, then your file, then the system's. \
            Within a file a table for the mount point counts before one for the bucket, and that before what is in no table; \
            of several for the bucket, the one with the longest prefix counts first:

              cache-dir = "/nvme/tractfs"
              memory-limit = "4GiB"

              [bucket.hcp-openaccess]
              profile = "hcp"

              [bucket."s3://hcp-openaccess/HCP_1200"]
              metadata-ttl = "forever"

              [mount-point."/mnt/shared"]
              allow-other = true

            Options that take no value are true or false; with "--no-" in front, the command line says false: \
            --no-allow-other, --no-cache. Relative paths count from the file's folder, and "~/" is your home. \
            Credentials have no place in these files; name a profile instead.
            """,
        subcommands: [ConfigShowCommand.self])
}
