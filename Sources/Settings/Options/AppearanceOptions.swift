package import ArgumentParser

/// The size of inode numbers.
package enum InodeBits: String, CaseIterable, ExpressibleByArgument, Sendable {
    case thirtyTwo = "32"
    case sixtyFour = "64"
}

/// The options for owners, permissions, inode numbers and attributes of a mount.
package struct AppearanceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Accept writes, and store them in this folder on a local disk; the bucket is never written. Needs root.",
            valueName: "folder"), completion: .directory)
    package var overlay: String?

    @Option(
        help: "The owner of all files (default: you, or the owner of the overlay's folder).", transform: UInt32.read)
    package var uid: UInt32?

    @Option(help: "The group of all files (default: yours, or that of the overlay's folder).", transform: UInt32.read)
    package var gid: UInt32?

    @Option(
        help: ArgumentHelp("The permissions of files, in octal (default: 0644).", valueName: "mode"),
        transform: Permissions.read)
    package var fileMode: Permissions?

    @Option(
        help: ArgumentHelp("The permissions of folders, in octal (default: 0755).", valueName: "mode"),
        transform: Permissions.read)
    package var dirMode: Permissions?

    @Option(
        help: ArgumentHelp(
            "The size of inode numbers: 64, or 32 for 32-bit programs; the latter may differ between mounts.",
            valueName: "bits"))
    package var inodeBits = InodeBits.sixtyFour

    @Flag(inversion: .prefixedNo, help: "Let other users use the mount too.")
    package var allowOther = false

    @Flag(inversion: .prefixedNo, help: "Mount noexec: no file can be executed, whatever its permissions are.")
    package var noexec = false

    @OptionGroup
    package var securityContexts: SecurityContextOptions

    @Flag(
        inversion: .prefixedNo,
        help:
            "Show user.s3.etag, user.s3.key, user.s3.uri, user.s3.storage_class and user.s3.restore as extended attributes."
    )
    package var xattrs = false

    @Flag(
        inversion: .prefixedNo,
        help:
            "The same, and user.s3.presigned_url: a URL that gives the file to anyone who has it, for at most an hour."
    )
    package var presignXattr = false

    package init() {}
}

/// The SELinux contexts that the kernel gives to a mount (mount(8)). They need root, and a machine with SELinux
/// enabled.
package struct SecurityContextOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The SELinux context of everything in the mount. Needs root.", valueName: "context"))
    package var context: String?

    @Option(help: ArgumentHelp("The SELinux context of the file system itself. Needs root.", valueName: "context"))
    package var fscontext: String?

    @Option(help: ArgumentHelp("The SELinux context of files that have none. Needs root.", valueName: "context"))
    package var defcontext: String?

    @Option(
        help: ArgumentHelp("The SELinux context of the root folder of the mount. Needs root.", valueName: "context"))
    package var rootcontext: String?

    package init() {}

    /// The contexts that are given, by their names in the kernel.
    var given: [(name: String, value: String)] {
        [("context", context), ("fscontext", fscontext), ("defcontext", defcontext), ("rootcontext", rootcontext)]
            .compactMap { name, value in value.map { (name, $0) } }
    }

    package func validate() throws {
        for (name, value) in given where value.isEmpty || value.contains(where: { $0 == "\"" || $0.isWhitespace }) {
            throw ValidationError(
                "--\(name) \"\(value)\": give a context, such as system_u:object_r:httpd_sys_content_t:s0")
        }
    }
}
