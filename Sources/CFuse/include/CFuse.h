#ifndef TRACTFS_CFUSE_H
#define TRACTFS_CFUSE_H

#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>
#include <stdint.h>
#include <sys/uio.h>

// The operations, implemented in Swift (FuseBridge/Operations*.swift). They are declared here so that the C compiler
// checks the table and the Swift compiler checks the signatures.
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

/// Creates a session of the operations above, with mount options as for "-o"; fuse_req_userdata() returns `userdata`.
/// Returns NULL on failure. This wraps fuse_session_new, which is a macro in libfuse 3.17 and later.
struct fuse_session *tractfs_session_new(const char *options, void *userdata);

// The channel between libfuse and /dev/fuse, implemented in Swift (FuseBridge/DeviceChannel.swift).

/// Called when a request has been read from `device`, before libfuse gets it. Must not block, since libfuse may cancel
/// the thread.
void tractfs_request_read(int device, const void *request, size_t size, void *userdata);

/// Copies a request that libfuse gets before the next one of the kernel. Returns its size; 0 for none.
ssize_t tractfs_replayed_request(void *buffer, size_t size, void *userdata);

/// The way in which a reply is handled.
enum tractfs_reply {
    /// The reply is sent to the kernel.
    TRACTFS_REPLY_SENT,
    /// The kernel has received this reply from an earlier server. libfuse takes it for sent.
    TRACTFS_REPLY_SWALLOWED,
    /// The request belongs to another server. libfuse gets ENOENT, as for an interrupted request.
    TRACTFS_REPLY_REFUSED,
};

/// Called before libfuse writes a reply to `device`. `vectors` are the parts of the reply; the first one is the header
/// alone. Their content may be changed, but not their number or size. Returns an enum tractfs_reply.
int tractfs_reply_written(int device, const struct iovec *vectors, int count, void *userdata);

/// Serves one request on this thread. Returns a positive number, 0 at the end of the mount, or a negative number for an
/// error.
int tractfs_session_serve_one(struct fuse_session *session);

/// Connects the session to `device`, a mounted /dev/fuse, through the functions above. The session closes the device
/// from now on. Returns a negative number on failure; the caller then still owns the device. This wraps
/// fuse_session_custom_io, which is an inline function with one more callback in libfuse 3.17 and later.
int tractfs_session_attach(struct fuse_session *session, int device);

/// The reply to FUSE_OPEN, struct fuse_open_out of the kernel. Declared here because the last member is called padding
/// in linux/fuse.h of Debian 12.
struct tractfs_open_reply {
    uint64_t handle;
    uint32_t flags;
    int32_t backing_id;
};

/// O_DIRECT of open(2), which Swift's Glibc module lacks.
extern const int TRACTFS_O_DIRECT;

/// The flag of FUSE_OPEN for a file that is to be executed, which is internal to the kernel (FMODE_EXEC in linux/fs.h).
extern const int TRACTFS_O_EXEC;

/// Registers an open file as a backing file (FUSE_DEV_IOC_BACKING_OPEN of Linux 6.9 and later, which linux/fuse.h of
/// Debian 12 lacks). Returns its id, a positive number; -1 and errno on failure.
int32_t tractfs_backing_open(int device, int file);

/// Unregisters a backing file (FUSE_DEV_IOC_BACKING_CLOSE). Handles that the kernel has opened with it keep it. Returns
/// -1 and errno on failure.
int tractfs_backing_close(int device, int32_t id);

#endif
