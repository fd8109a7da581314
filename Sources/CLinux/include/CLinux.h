#ifndef TRACTFS_CLINUX_H
#define TRACTFS_CLINUX_H

#include <stddef.h>
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

/// Sends a message over a socket, with `descriptor` unless that is negative (SCM_RIGHTS, unix(7)); 0, or -1 and errno. The
/// control message macros are beyond Swift.
int tractfs_send(int socket, const void *bytes, size_t byte_count, int descriptor);

/// Waits for a message, and the descriptor that was sent with it, which is close-on-exec; -1 where there is none. Returns how
/// many bytes have come, 0 where the other side has closed; -1 and errno on failure.
ssize_t tractfs_receive(int socket, void *bytes, size_t size, int *descriptor);

/// Opens a file without a name in `directory` for reading and writing, closed by exec (open(2), O_TMPFILE, which glibc shows
/// to GNU sources only). The descriptor, or -1 and errno.
int tractfs_open_nameless(const char *directory);

/// The same in memory (memfd_create(2), for GNU sources only too), where growing may be forbidden it later (F_SEAL_GROW).
/// `name` is what /proc shows.
int tractfs_open_memory(const char *name);

/// How many columns the terminal has that `descriptor` is (ioctl(2), which is variadic, so that Swift can't); 0 where that isn't
/// known.
int tractfs_terminal_width(int descriptor);

/// Moves the calling thread to a network namespace of its own (unshare(2), which glibc shows to GNU sources only); 0, or -1 and
/// errno. For tests.
int tractfs_leave_network(void);

/// Moves the calling thread to that network namespace, an open file of /proc/PID/ns/net (setns(2), for GNU sources only too);
/// 0, or -1 and errno. For tests.
int tractfs_enter_network(int network_namespace);

/// The user of the process at the other end of a socket, as the kernel noted it when the two were connected (SO_PEERCRED, unix(7),
/// for GNU sources only too); 0, or -1 and errno.
int tractfs_peer_user(int socket, uid_t *user);

/// Sets an extended attribute of an open file or folder and takes it away again, to see whether they can be kept there; 0, or -1 and
/// errno.
int tractfs_try_attribute(int fd, const char *name);

/// The number of the type of the file system that an open file lies in (statfs(2)); 0 where that isn't known.
uint32_t tractfs_file_system_type(int fd);

/// Takes the lock of a whole file (F_RDLCK, F_WRLCK) or gives it back (F_UNLCK). It belongs to the open file, as flock(2)'s do, and a
/// network file system tells the other machines of it (F_OFD_SETLK, fcntl(2), for GNU sources only). 0, or -1 and errno.
int tractfs_lock_file(int fd, short type);

// A file system is configured, and then mounted nowhere, or one that is mounted is configured anew (Linux 5.2 and later). glibc has
// these calls from 2.36 on. All return 0 or a descriptor that is closed by exec, or -1 and errno.

/// Begins to configure a file system of this type (fsopen(2)).
int tractfs_fs_open(const char *type);

/// The same for the one whose root is at `path`, seen from the folder `directory`; with an empty path it is `directory`
/// (fspick(2)).
int tractfs_fs_pick(int directory, const char *path);

/// Sets a parameter; `value` may have 255 bytes (fsconfig(2), FSCONFIG_SET_STRING).
int tractfs_fs_set(int context, const char *key, const char *value);

/// Makes the file system (FSCONFIG_CMD_CREATE).
int tractfs_fs_create(int context);

/// Puts into force what was set (FSCONFIG_CMD_RECONFIGURE).
int tractfs_fs_reconfigure(int context);

/// Mounts what was made, nowhere in the tree of folders (fsmount(2)). Neither set-user-id bits nor devices count there.
int tractfs_fs_mount(int context, int is_read_only, int forbids_execution);

/// Gives such a mount a place (move_mount(2)).
int tractfs_fs_attach(int mount, const char *path);

/// The number of the control call, an ioctl(2) on an open folder of a mount, and the size of the message that it passes
/// both ways (Sources/MountControl). The number contains the size, of which it can hold 16 KiB.
extern const unsigned long TRACTFS_CONTROL;
extern const size_t TRACTFS_CONTROL_BYTE_COUNT;

/// Makes a control call (ioctl(2) is variadic, so that Swift can't call it); 0, or -1 and errno.
int tractfs_control(int directory, void *message);

/// Stores a value that another process may read, or the next one: all that was stored before is there for whoever sees it.
static inline void tractfs_store_release(uint64_t *place, uint64_t value) {
    __atomic_store_n(place, value, __ATOMIC_RELEASE);
}

/// Reads what `tractfs_store_release` has stored.
static inline uint64_t tractfs_load_acquire(const uint64_t *place) {
    return __atomic_load_n(place, __ATOMIC_ACQUIRE);
}

#endif
