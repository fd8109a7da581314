#ifndef TRACTFS_CLINUX_H
#define TRACTFS_CLINUX_H

#include <stdint.h>
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

/// Opens a file without a name in `directory` for reading and writing, closed by exec (open(2), O_TMPFILE, which glibc shows
/// to GNU sources only). The descriptor, or -1 and errno.
int tractfs_open_nameless(const char *directory);

/// The same in memory (memfd_create(2), for GNU sources only too). `name` is what /proc shows.
int tractfs_open_memory(const char *name);

/// Stores a value that another process may read, or the next one: all that was stored before is there for whoever sees it.
static inline void tractfs_store_release(uint64_t *place, uint64_t value) {
    __atomic_store_n(place, value, __ATOMIC_RELEASE);
}

/// Reads what `tractfs_store_release` has stored.
static inline uint64_t tractfs_load_acquire(const uint64_t *place) {
    return __atomic_load_n(place, __ATOMIC_ACQUIRE);
}

#endif
