#ifndef TRACTFS_CLINUX_H
#define TRACTFS_CLINUX_H

#include <sys/types.h>

/// Gives `byte_count` bytes of a file from `offset` on back to the file system; they read as zeros, and the size stays
/// (fallocate(2), which glibc shows to GNU sources only). 0, or -1 and errno.
int tractfs_punch_hole(int fd, off_t offset, off_t byte_count);

/// Has the kernel begin to write these bytes of a file to the disk, and doesn't wait for it (sync_file_range(2), for GNU
/// sources only too). 0, or -1 and errno.
int tractfs_begin_writing_out(int fd, off_t offset, off_t byte_count);

/// Waits until all that was written to a file is on the disk; 0, or -1 and errno, also for what failed since the file was
/// opened. Doesn't wait for the disk's own cache, nor for the file system's journal.
int tractfs_write_out(int fd);

#endif
