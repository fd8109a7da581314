#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "CLinux.h"

int tractfs_punch_hole(int fd, off_t offset, off_t byte_count) {
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, byte_count);
}

int tractfs_begin_writing_out(int fd, off_t offset, off_t byte_count) {
    return sync_file_range(fd, offset, byte_count, SYNC_FILE_RANGE_WRITE);
}

int tractfs_write_out(int fd) {
    return sync_file_range(fd, 0, 0,
                           SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}

// The space for the control message of one descriptor.
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int tractfs_send(int socket, const void *bytes, size_t byte_count, int descriptor) {
    struct iovec vector = {.iov_base = (void *)bytes, .iov_len = byte_count};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    union control control = {0};
    if (descriptor >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof descriptor);
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
    }
    ssize_t count;
    do {
        count = sendmsg(socket, &message, MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    return count < 0 ? -1 : 0;
}

ssize_t tractfs_receive(int socket, void *bytes, size_t size, int *descriptor) {
    struct iovec vector = {.iov_base = bytes, .iov_len = size};
    union control control;
    struct msghdr message = {
        .msg_iov = &vector,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };
    ssize_t count;
    do {
        count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (count < 0 && errno == EINTR);
    *descriptor = -1;
    if (count <= 0) return count;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
    return count;
}

int tractfs_open_nameless(const char *directory) {
    return open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

int tractfs_open_memory(const char *name) {
    return memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

int tractfs_leave_network(void) {
    return unshare(CLONE_NEWNET);
}

int tractfs_enter_network(int network_namespace) {
    return setns(network_namespace, CLONE_NEWNET);
}

int tractfs_peer_user(int socket, uid_t *user) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
    *user = peer.uid;
    return 0;
}

int tractfs_try_attribute(int fd, const char *name) {
    if (fsetxattr(fd, name, "y", 1, 0) != 0) return -1;
    return fremovexattr(fd, name);
}

uint32_t tractfs_file_system_type(int fd) {
    struct statfs status;
    return fstatfs(fd, &status) == 0 ? (uint32_t)status.f_type : 0;
}

int tractfs_lock_file(int fd, short type) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock);
}

int tractfs_fs_open(const char *type) {
    return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

int tractfs_fs_pick(int directory, const char *path) {
    return (int)syscall(SYS_fspick, directory, path,
                        FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW | FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH);
}

int tractfs_fs_set(int context, const char *key, const char *value) {
    return (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, key, value, 0);
}

int tractfs_fs_create(int context) {
    return (int)syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

int tractfs_fs_reconfigure(int context) {
    return (int)syscall(SYS_fsconfig, context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0);
}

int tractfs_fs_mount(int context, int is_read_only, int forbids_execution) {
    unsigned int attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    if (is_read_only) attributes |= MOUNT_ATTR_RDONLY;
    if (forbids_execution) attributes |= MOUNT_ATTR_NOEXEC;
    return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
}

int tractfs_fs_attach(int mount, const char *path) {
    return (int)syscall(SYS_move_mount, mount, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
}

int tractfs_open_process(pid_t process) {
    return (int)syscall(SYS_pidfd_open, process, 0);
}

int tractfs_terminal_width(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

#define CONTROL_BYTE_COUNT 16368
const size_t TRACTFS_CONTROL_BYTE_COUNT = CONTROL_BYTE_COUNT;
const unsigned long TRACTFS_CONTROL = _IOWR('T', 0x41, char[CONTROL_BYTE_COUNT]);

int tractfs_control(int directory, void *message) {
    return ioctl(directory, TRACTFS_CONTROL, message);
}
