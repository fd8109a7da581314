#ifndef TRACTFS_CFUSE_H
#define TRACTFS_CFUSE_H

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>
#include <stdint.h>

// The operations, implemented in Swift (FuseBridge/Operations*.swift). They are declared here so that C checks the table
// and Swift the signatures.
void tractfs_init(void *userdata, struct fuse_conn_info *connection);
void tractfs_lookup(fuse_req_t request, fuse_ino_t parent, const char *name);
void tractfs_forget(fuse_req_t request, fuse_ino_t inode, uint64_t count);
void tractfs_forget_multi(fuse_req_t request, size_t count, struct fuse_forget_data *forgets);
void tractfs_getattr(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file);
void tractfs_access(fuse_req_t request, fuse_ino_t inode, int mask);
void tractfs_statfs(fuse_req_t request, fuse_ino_t inode);
void tractfs_opendir(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file);
void tractfs_readdir(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, struct fuse_file_info *file);
void tractfs_readdirplus(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, struct fuse_file_info *file);
void tractfs_releasedir(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file);
void tractfs_open(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file);
void tractfs_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, struct fuse_file_info *file);
void tractfs_release(fuse_req_t request, fuse_ino_t inode, struct fuse_file_info *file);
void tractfs_getxattr(fuse_req_t request, fuse_ino_t inode, const char *name, size_t size);
void tractfs_listxattr(fuse_req_t request, fuse_ino_t inode, size_t size);
void tractfs_ioctl(fuse_req_t request, fuse_ino_t inode, unsigned int command, void *argument,
                   struct fuse_file_info *file, unsigned int flags, const void *input, size_t input_size,
                   size_t output_size);

/// A session of the operations above, with mount options as for "-o"; fuse_req_userdata() gives `userdata`. NULL where
/// libfuse can't make one. A function of ours because fuse_session_new is a macro from libfuse 3.17 on.
struct fuse_session *tractfs_session_new(const char *options, void *userdata);

/// ioctl(2) on any file or directory of a mount: the process that serves it, as a uint32_t.
extern const unsigned long TRACTFS_IOCTL_SERVER;

/// Calls ioctl(2) with TRACTFS_IOCTL_SERVER; -1 and errno on failure. ioctl is variadic, which Swift can't call.
int tractfs_ioctl_server(int descriptor, uint32_t *process);

/// Waits for one descriptor that is sent over a socket (SCM_RIGHTS, unix(7)), close-on-exec; -1 and errno on failure,
/// errno 0 where the other side closed without sending one. The control message macros are beyond Swift.
int tractfs_receive_descriptor(int socket);

#endif
