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

// What a mount can be asked beside files and folders, by ioctl(2) on an open directory of it, for the server also on a file.
// The numbers hold the sizes of what is passed, so that a form that changes is another number, and one who doesn't know it
// says ENOTTY.

/// Who serves the mount and sees to it that somebody does, as a struct tractfs_supervision.
extern const unsigned long TRACTFS_IOCTL_SUPERVISION;
/// Forget what was listed, and ask the store again: passes a uint32_t, 0 for all that is below the directory, 1 for its own
/// entries only. Returns when nobody sees what was listed before any more.
extern const unsigned long TRACTFS_IOCTL_REFRESH;
/// List all that is below the directory. Passes a uint32_t, 0. Returns at once; the listing goes on until the directory is
/// closed. EBUSY where as many as may are at it.
extern const unsigned long TRACTFS_IOCTL_WARM;
/// How far that is: a struct tractfs_warm_status. ENODATA where it wasn't asked for.
extern const unsigned long TRACTFS_IOCTL_WARM_STATUS;

/// Who serves a mount, and what became of upgrades.
struct tractfs_supervision {
    /// Process ids; the supervisor's is 0 where there is none.
    uint32_t server;
    uint32_t supervisor;
    /// How many upgrades have ended; the rest is about the last one.
    uint32_t upgrade_count;
    /// 1 if it failed.
    uint32_t has_failed;
    /// How many bytes of the following say why.
    uint32_t reason_byte_count;
    char reason[200];
    /// What the server calls its version, ended by a NUL.
    char version[32];
};

/// How far a listing of all that is below a directory is.
struct tractfs_warm_status {
    uint64_t key_count;
    uint64_t page_count;
    /// EINPROGRESS while it goes on, then 0, or why it ended.
    int32_t error;
    /// How many bytes of the following are the store's words for why it ended.
    uint32_t reason_byte_count;
    char reason[232];
};

/// A presigned URL for a file in the directory. Passes TRACTFS_PRESIGN_BYTE_COUNT bytes: a struct tractfs_presign_question
/// and the file's name, and gives back a struct tractfs_presign_answer, the object's key and the URL.
extern const unsigned long TRACTFS_IOCTL_PRESIGN;
/// Enough for a key of 1,024 bytes, percent-encoded, and a session token of 8 KiB; the number of an ioctl has no room for
/// more than 16 KiB.
extern const size_t TRACTFS_PRESIGN_BYTE_COUNT;

/// Asks for a presigned URL.
struct tractfs_presign_question {
    /// How long it is to work.
    uint32_t lifetime_seconds;
    /// How many bytes behind this are the file's name.
    uint32_t name_byte_count;
};

/// A presigned URL.
struct tractfs_presign_answer {
    /// When it ends, in seconds since the epoch; 0 for one that isn't signed.
    int64_t expiry_seconds;
    /// The file's size in bytes.
    uint64_t size;
    /// 0, or why there is none; the store's words then stand instead of the URL.
    int32_t error;
    /// What may let it end earlier than was asked for (ObjectURL.Constraint); 0 for nothing.
    uint32_t constraint;
    uint32_t key_byte_count;
    uint32_t url_byte_count;
};

/// How much of a file in the directory is in the disk cache; or brings a piece of it there, and returns when it is. Passes a
/// struct tractfs_file_question and gives back a struct tractfs_file_answer, in TRACTFS_FILE_BYTE_COUNT bytes. ENODEV where there
/// is no disk cache.
extern const unsigned long TRACTFS_IOCTL_FILE;
extern const size_t TRACTFS_FILE_BYTE_COUNT;

/// Asks about a file.
struct tractfs_file_question {
    /// Which version it must be, as an answer said; 0 for any.
    uint64_t version;
    /// The bytes that are to be fetched or checked.
    uint64_t start;
    uint64_t end;
    /// FileSystem.FetchQuestion.Actions.
    uint32_t actions;
    uint32_t name_byte_count;
    char name[256];
};

/// Tells of a file.
struct tractfs_file_answer {
    uint64_t version;
    uint64_t byte_count;
    /// What it takes on the disk when all of it is there.
    uint64_t allocated_byte_count;
    uint64_t cached_byte_count;
    /// The bytes from `start` up to here are there, and how many of them came now.
    uint64_t end;
    uint64_t fetched_byte_count;
    uint32_t damaged_block_count;
    /// 1 if it isn't evicted.
    uint32_t is_kept;
    /// 0, or why nothing was fetched, with the store's words if it was the store.
    int32_t error;
    uint32_t reason_byte_count;
    char reason[232];
};

/// How much the disk cache can hold: a struct tractfs_cache_room.
extern const unsigned long TRACTFS_IOCTL_CACHE_ROOM;

/// In bytes, as DiskCache.Room has them.
struct tractfs_cache_room {
    uint64_t limit;
    uint64_t fillable;
    uint64_t keepable;
    uint64_t kept;
};

/// Has evictions take what they were to leave. Passes a struct tractfs_release_question and gives back a struct
/// tractfs_release_answer, in TRACTFS_RELEASE_BYTE_COUNT bytes.
extern const unsigned long TRACTFS_IOCTL_RELEASE;
extern const size_t TRACTFS_RELEASE_BYTE_COUNT;

/// Names a file in the directory; empty for all that is below the directory.
struct tractfs_release_question {
    uint32_t name_byte_count;
    char name[256];
};

/// What was released.
struct tractfs_release_answer {
    uint64_t object_count;
    uint64_t byte_count;
};

/// What the server has done and is at: gives back at most TRACTFS_STATUS_BYTE_COUNT bytes, a JSON object as docs/STATUS.md
/// tells, which a newer or an older version can read too, and NULs behind it.
extern const unsigned long TRACTFS_IOCTL_STATUS;
/// Several times what it takes.
extern const size_t TRACTFS_STATUS_BYTE_COUNT;

/// The same with the history of all that and of what was read, as a JSON object that is too long for one answer. Passes
/// TRACTFS_REPORT_BYTE_COUNT bytes that begin with a struct tractfs_report_page, and gives back the same with what stands at
/// its offset behind it. Offset 0 has the server make a new object, and keep it until the directory is closed. ENODATA where
/// it has none, EBUSY where it keeps as many as it may.
extern const unsigned long TRACTFS_IOCTL_REPORT;
extern const size_t TRACTFS_REPORT_BYTE_COUNT;

/// A piece of a report.
struct tractfs_report_page {
    /// Where it begins.
    uint64_t offset;
    /// How many bytes the report has; asked with 0.
    uint64_t total_byte_count;
};

/// Calls ioctl(2), which is variadic, so that Swift can't; -1 and errno on failure.
int tractfs_call(int descriptor, unsigned long command, void *argument);

#endif
