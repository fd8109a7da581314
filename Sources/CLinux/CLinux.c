#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

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

int tractfs_open_nameless(const char *directory) {
    return open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

int tractfs_open_memory(const char *name) {
    return memfd_create(name, MFD_CLOEXEC);
}
