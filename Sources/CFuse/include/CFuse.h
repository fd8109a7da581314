#ifndef TRACTFS_CFUSE_H
#define TRACTFS_CFUSE_H

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>
#include <stdint.h>
#include <sys/uio.h>

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
void tractfs_setattr(fuse_req_t request, fuse_ino_t inode, struct stat *attributes, int changed,
                     struct fuse_file_info *file);
void tractfs_mknod(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode, dev_t device);
void tractfs_mkdir(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode);
void tractfs_remove(fuse_req_t request, fuse_ino_t parent, const char *name);
void tractfs_symlink(fuse_req_t request, const char *target, fuse_ino_t parent, const char *name);
void tractfs_rename(fuse_req_t request, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
                    const char *new_name, unsigned int flags);
void tractfs_link(fuse_req_t request, fuse_ino_t inode, fuse_ino_t new_parent, const char *new_name);
void tractfs_create(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *file);
void tractfs_setxattr(fuse_req_t request, fuse_ino_t inode, const char *name, const char *value, size_t size,
                      int flags);
void tractfs_removexattr(fuse_req_t request, fuse_ino_t inode, const char *name);

/// A session of the operations above, with mount options as for "-o"; fuse_req_userdata() gives `userdata`. NULL where
/// libfuse can't make one. A function of ours because fuse_session_new is a macro from libfuse 3.17 on.
struct fuse_session *tractfs_session_new(const char *options, void *userdata);

// What passes between libfuse and /dev/fuse, implemented in Swift (FuseBridge/DeviceChannel.swift).

/// A request has been read from `device`, and libfuse is about to get it. It must not wait: libfuse may cancel the thread.
void tractfs_request_read(int device, const void *request, size_t size, void *userdata);

/// Copies a request that libfuse is to get before it asks the kernel for the next one, and returns its size; 0 for none.
ssize_t tractfs_replayed_request(void *buffer, size_t size, void *userdata);

/// What becomes of a reply.
enum tractfs_reply {
    /// The kernel gets it.
    TRACTFS_REPLY_SENT,
    /// The kernel has had it, from an earlier server; libfuse takes it for sent.
    TRACTFS_REPLY_SWALLOWED,
    /// The request is another server's by now: libfuse is told ENOENT, as for one that was interrupted.
    TRACTFS_REPLY_REFUSED,
};

/// libfuse is about to write a reply to `device`; `vectors` are its pieces, the header alone in the first one. The bytes
/// may be changed, their number may not. Returns an enum tractfs_reply.
int tractfs_reply_written(int device, const struct iovec *vectors, int count, void *userdata);

/// Serves one request, on this thread. More than 0, 0 at the end of the mount, less than 0 for an error.
int tractfs_session_serve_one(struct fuse_session *session);

/// Has the session talk to `device`, a mounted /dev/fuse, with the two functions above in between; the device is the
/// session's to close from now on. Less than 0 on failure, and then it isn't. A function of ours because
/// fuse_session_custom_io is an inline function from libfuse 3.17 on, with one more callback.
int tractfs_session_attach(struct fuse_session *session, int device);

/// The reply to FUSE_OPEN, which the kernel calls struct fuse_open_out. Declared here because linux/fuse.h of Debian 12
/// calls the last member padding.
struct tractfs_open_reply {
    uint64_t handle;
    uint32_t flags;
    int32_t backing_id;
};

/// O_DIRECT of open(2), which Swift's Glibc module leaves out.
extern const int TRACTFS_O_DIRECT;

/// The flag of FUSE_OPEN that the file is to be executed, which is the kernel's own (FMODE_EXEC in linux/fs.h).
extern const int TRACTFS_O_EXEC;

/// Lends the kernel an open file to read from (FUSE_DEV_IOC_BACKING_OPEN, from Linux 6.9 on; linux/fuse.h of Debian 12
/// doesn't have it). Returns its id, more than 0; -1 and errno on failure.
int32_t tractfs_backing_open(int device, int file);

/// Takes a lent file back (FUSE_DEV_IOC_BACKING_CLOSE); handles that the kernel has opened with it keep it. -1 and errno
/// on failure.
int tractfs_backing_close(int device, int32_t id);

#endif
