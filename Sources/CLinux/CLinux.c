#define _GNU_SOURCE
#include <fcntl.h>

#include "CLinux.h"

int tractfs_punch_hole(int fd, off_t offset, off_t byte_count) {
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, byte_count);
}
