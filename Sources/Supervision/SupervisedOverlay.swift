package import Mounting
import SystemPackage

/// The overlay of a mount, in its supervisor: locks the folder as long as the supervisor lives, and sends the mount
/// below the overlay to commands.
package struct SupervisedOverlay: Sendable {
    package let folder: OverlayFolder
    /// The socket for requests for the mount below.
    let socket: FileDescriptor
    private let allowsOthers: Bool

    /// Locks the folder at `path` and listens in it, unless an earlier process of the mount has done so.
    ///
    /// - Parameters:
    ///   - mountPoint: The mount point.
    ///   - allowsOthers: `true` if users other than the one who mounts may use the mount.
    ///   - context: The context with the earlier process's folder and socket.
    package init(
        _ path: String, for mountPoint: String, allowsOthers: Bool, inheriting context: ChildContext?
    ) throws(MountError) {
        self.allowsOthers = allowsOthers
        if let descriptor = context?.overlay, let socket = context?.lowerMountSocket {
            folder = OverlayFolder(inheriting: descriptor, givenAs: path)
            self.socket = socket
        } else {
            folder = try OverlayFolder(taking: path, for: mountPoint)
            socket = try LowerMount.listen(in: folder, allowsOthers: allowsOthers)
        }
    }

    /// Sends mounts of this device to commands from now on.
    func serve(_ device: FileDescriptor) {
        LowerMount.serve(device, over: socket, allowsOthers: allowsOthers)
    }

    /// Removes the socket from the folder before the process ends.
    package func close() {
        LowerMount.stopListening(in: folder)
    }
}
