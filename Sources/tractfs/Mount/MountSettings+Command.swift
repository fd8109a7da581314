import FileSystem
import Mounting
import Settings
import SystemSupport

extension MountSettings {
    /// The settings of `command` on this machine.
    ///
    /// - Throws: If the settings are wrong.
    init(_ command: MountCommand) throws {
        try self.init(
            uri: command.uri, mountPoint: command.mountPoint, store: command.store, appearance: command.appearance,
            cache: command.cache, memory: command.running.memory,
            timeToLive: command.running.metadataTtl.timeToLive, retry: command.running.retry.duration,
            isDeviceHanded: HandedDevice(mountPoint: command.mountPoint) != nil,
            hasSELinux: FuseReadiness.hasSELinux, environment: Environment.variables())
    }

    /// The /dev/fuse that another program has mounted, if the mount point names one.
    var handedDevice: HandedDevice? { HandedDevice(mountPoint: mountPoint) }

    /// The owner of an overlay's topmost folder. Overlayfs accesses the mount with the rights of the user who mounts,
    /// so other users are refused there, unless they may use the mount too.
    var overlayOwner: OverlayFolder.Owner {
        OverlayFolder.Owner(
            userID: ownership.userID, groupID: ownership.groupID,
            permissions: ownership.directoryPermissions & (allowsOthers ? 0o777 : 0o700))
    }
}
