import CFuse
import Glibc
import struct SystemPackage.Errno

// Operations that change files. The kernel refuses them itself if the mount is read-only, but another program that made
// the mount (`HandedDevice`) may not have mounted it so.

private func refuseChange(_ request: fuse_req_t?) {
    guard let request else { return }
    Reply(to: request).send(.readOnlyFileSystem)
}

@c @implementation
func tractfs_setattr(
    _ request: fuse_req_t?, _ inode: fuse_ino_t, _ attributes: UnsafeMutablePointer<stat>?, _ changed: CInt,
    _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    refuseChange(request)
}

@c @implementation
func tractfs_mknod(
    _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ mode: mode_t, _ device: dev_t
) {
    refuseChange(request)
}

@c @implementation
func tractfs_mkdir(
    _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ mode: mode_t
) {
    refuseChange(request)
}

@c @implementation
func tractfs_remove(_ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?) {
    refuseChange(request)
}

@c @implementation
func tractfs_symlink(
    _ request: fuse_req_t?, _ target: UnsafePointer<CChar>?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?
) {
    refuseChange(request)
}

@c @implementation
func tractfs_rename(
    _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ newParent: fuse_ino_t,
    _ newName: UnsafePointer<CChar>?, _ flags: CUnsignedInt
) {
    refuseChange(request)
}

@c @implementation
func tractfs_link(
    _ request: fuse_req_t?, _ inode: fuse_ino_t, _ newParent: fuse_ino_t, _ newName: UnsafePointer<CChar>?
) {
    refuseChange(request)
}

@c @implementation
func tractfs_create(
    _ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ mode: mode_t,
    _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    refuseChange(request)
}

@c @implementation
func tractfs_setxattr(
    _ request: fuse_req_t?, _ inode: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ value: UnsafePointer<CChar>?,
    _ size: Int, _ flags: CInt
) {
    refuseChange(request)
}

@c @implementation
func tractfs_removexattr(_ request: fuse_req_t?, _ inode: fuse_ino_t, _ name: UnsafePointer<CChar>?) {
    refuseChange(request)
}
