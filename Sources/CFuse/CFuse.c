#define _GNU_SOURCE
#include "CFuse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

// Operations that are missing here (flush, fsync, lseek, …) get ENOSYS from libfuse. The kernel then does without them:
// flush and fsync succeed, and for SEEK_DATA a file is all data.
static const struct fuse_lowlevel_ops operations = {
    .init = tractfs_init,
    .lookup = tractfs_lookup,
    .forget = tractfs_forget,
    .forget_multi = tractfs_forget_multi,
    .getattr = tractfs_getattr,
    .access = tractfs_access,
    .statfs = tractfs_statfs,
    .opendir = tractfs_opendir,
    .readdir = tractfs_readdir,
    .readdirplus = tractfs_readdirplus,
    .releasedir = tractfs_releasedir,
    .open = tractfs_open,
    .read = tractfs_read,
    .release = tractfs_release,
    .getxattr = tractfs_getxattr,
    .listxattr = tractfs_listxattr,
    .ioctl = tractfs_ioctl,
    .setattr = tractfs_setattr,
    .mknod = tractfs_mknod,
    .mkdir = tractfs_mkdir,
    .unlink = tractfs_remove,
    .rmdir = tractfs_remove,
    .symlink = tractfs_symlink,
    .rename = tractfs_rename,
    .link = tractfs_link,
    .create = tractfs_create,
    .setxattr = tractfs_setxattr,
    .removexattr = tractfs_removexattr,
};

struct fuse_session *tractfs_session_new(const char *options, void *userdata) {
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    struct fuse_session *session = NULL;
    if (fuse_opt_add_arg(&args, "tractfs") == 0 && fuse_opt_add_arg(&args, "-o") == 0 &&
        fuse_opt_add_arg(&args, options) == 0)
        session = fuse_session_new(&args, &operations, sizeof operations, userdata);
    fuse_opt_free_args(&args);
    return session;
}

#if __has_feature(thread_sanitizer)
// ThreadSanitizer ends the process if a thread is canceled within its interceptor of read(2). This is glibc's own
// function.
ssize_t __read(int device, void *buffer, size_t size);
#define cancellable_read __read
#else
#define cancellable_read read
#endif

// libfuse cancels threads that wait for a request. read(2) is called here and not in Swift, since a canceled thread
// never returns to its callers, which could then not release their resources.
static ssize_t read_request(int device, void *buffer, size_t size, void *userdata) {
    ssize_t count = tractfs_replayed_request(buffer, size, userdata);
    if (count == 0) count = cancellable_read(device, buffer, size);
    if (count > 0) tractfs_request_read(device, buffer, count, userdata);
    return count;
}

static ssize_t write_reply(int device, struct iovec *vectors, int count, void *userdata) {
    switch (tractfs_reply_written(device, vectors, count, userdata)) {
    case TRACTFS_REPLY_SWALLOWED: {
        ssize_t size = 0;
        for (int index = 0; index < count; index++) size += vectors[index].iov_len;
        return size;
    }
    case TRACTFS_REPLY_REFUSED:
        errno = ENOENT;
        return -1;
    default:
        return writev(device, vectors, count);
    }
}

int tractfs_session_serve_one(struct fuse_session *session) {
    struct fuse_buf request = {0};
    int result = fuse_session_receive_buf(session, &request);
    if (result > 0) fuse_session_process_buf(session, &request);
    free(request.mem);
    return result;
}

int tractfs_session_attach(struct fuse_session *session, int device) {
    const struct fuse_custom_io io = {.read = read_request, .writev = write_reply};
    return fuse_session_custom_io(session, &io, device);
}

const int TRACTFS_O_DIRECT = O_DIRECT;
const int TRACTFS_O_EXEC = 0x20;

// struct fuse_backing_map and its ioctls, as in linux/fuse.h of Linux 6.9 and later.
struct backing_map {
    int32_t descriptor;
    uint32_t flags;
    uint64_t padding;
};
#define BACKING_OPEN _IOW(229, 1, struct backing_map)
#define BACKING_CLOSE _IOW(229, 2, uint32_t)

int32_t tractfs_backing_open(int device, int file) {
    const struct backing_map map = {.descriptor = file};
    return ioctl(device, BACKING_OPEN, &map);
}

int tractfs_backing_close(int device, int32_t id) {
    const uint32_t number = id;
    return ioctl(device, BACKING_CLOSE, &number);
}
