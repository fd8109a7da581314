#ifndef TRACTFS_CLINUX_H
#define TRACTFS_CLINUX_H

#include <sys/types.h>

/// Gives `byte_count` bytes of a file from `offset` on back to the file system; they read as zeros, and the size stays
/// (fallocate(2), which glibc shows to GNU sources only). 0, or -1 and errno.
int tractfs_punch_hole(int fd, off_t offset, off_t byte_count);

#endif
