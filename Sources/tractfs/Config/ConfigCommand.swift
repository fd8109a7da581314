import ArgumentParser

/// `tractfs config`.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Show the settings of configuration files and the environment.",
        discussion: """
            Every option of "tractfs mount" can be set in ~/.config/tractfs/config.toml ($XDG_CONFIG_HOME/tractfs), for all \
            users in /etc/tractfs.toml, and in an environment variable (TRACTFS_CACHE_DIR for --cache-dir). \
            "tractfs doctor", "tractfs presign" for s3://… and "tractfs cache" use the settings of the options that they have \
            too. For each option the nearest setting counts: the command line, then the environment, then your file, then the \
            system's. Within a file a table for the mount point takes precedence over one for the bucket, and that over \
            settings in no table; of several tables for the bucket, the one with the longest prefix:

              cache-dir = "/nvme/tractfs"
              memory-limit = "4GiB"

              [bucket.hcp-openaccess]
              profile = "hcp"

              [bucket."s3://hcp-openaccess/HCP_1200"]
              metadata-ttl = "forever"

              [mount-point."/mnt/shared"]
              allow-other = true

            Options without a value are true or false; on the command line "--no-" in front makes them false: \
            --no-allow-other, --no-cache. Relative paths start at the file's folder, and "~/" is your home. \
            Don't put credentials into these files; name a profile instead.
            """,
        subcommands: [ConfigShowCommand.self])
}
