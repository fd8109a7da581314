import ArgumentParser

/// The command.
@main
struct Tractfs: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "tractfs",
        abstract: "Mounts S3 buckets as read-only file systems.",
        discussion: """
            For example, the Human Connectome Project with the keys that ConnectomeDB gave you:

              tractfs mount s3://hcp-openaccess/HCP_1200/ /mnt/hcp --profile hcp
              ls /mnt/hcp/100307
              tractfs unmount /mnt/hcp
            """,
        version: version,
        subcommands: [MountCommand.self, UnmountCommand.self])

    static func main() {
        do {
            var command = try parseAsRoot(MountOptions.expand(Array(CommandLine.arguments.dropFirst())))
            try command.run()
        } catch {
            exit(withError: error)
        }
    }
}
