import FuseBridge
import Settings
import SystemPackage
import SystemSupport

/// The overlay of a mount, as the process that outlives servers has it: the folder is taken as long as this process lives, and
/// whoever may have the mount below the overlay gets it from here.
struct SupervisedOverlay: Sendable {
    let folder: OverlayFolder
    /// Where that is asked for.
    let socket: FileDescriptor
    private let allowsOthers: Bool

    /// The overlay that the command asks for; `nil` for none. Its folder is taken, unless an earlier process of the mount has.
    init?(_ command: MountCommand, inheriting inheritance: Inheritance?) throws(MountError) {
        guard let path = command.appearance.overlay else { return nil }
        allowsOthers = command.appearance.allowOther
        if let descriptor = inheritance?.overlay, let socket = inheritance?.lowerMountSocket {
            folder = OverlayFolder(inheriting: descriptor, givenAs: AbsolutePath.of(path))
            self.socket = socket
        } else {
            folder = try OverlayFolder(taking: path, for: command.mountPoint)
            socket = try LowerMount.listen(in: folder, allowsOthers: allowsOthers)
        }
    }

    /// Gives the mount of this device to those who ask, from now on.
    func give(_ device: FileDescriptor) {
        LowerMount.give(device, to: socket, allowsOthers: allowsOthers)
    }

    /// Leaves the folder in order: the process is about to end.
    func leave() {
        LowerMount.stopListening(in: folder)
    }
}
