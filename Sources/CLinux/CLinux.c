#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

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

// Room for the control message that carries one descriptor.
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
