#ifndef TRACTFS_CLINUX_H
#define TRACTFS_CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// Returns `byte_count` bytes of a file from `offset` on to the file system; they read as zeros, and the size stays
/// (fallocate(2), which glibc declares for GNU sources only). Returns 0, or -1 and errno.
int tractfs_punch_hole(int fd, off_t offset, off_t byte_count);

/// Lets the kernel begin to write these bytes of a file to the disk, without waiting for it (sync_file_range(2), for GNU
/// sources only). Returns 0, or -1 and errno.
int tractfs_begin_writing_out(int fd, off_t offset, off_t byte_count);

/// Waits until all written bytes of a file are on the disk. Does not wait for the disk's own cache, or for the file
/// system's journal. Returns 0, or -1 and errno, also for failures since the file was opened.
int tractfs_write_out(int fd);

/// Sends a message over a socket, with `descriptor` unless that is negative (SCM_RIGHTS, unix(7)). Swift can't use the
/// macros for control messages. Returns 0, or -1 and errno.
int tractfs_send(int socket, const void *bytes, size_t byte_count, int descriptor);

/// Waits for a message, and stores the descriptor that was sent with it, close-on-exec, or -1. Returns the number of
/// bytes received; 0 if the other side has closed; -1 and errno on failure.
ssize_t tractfs_receive(int socket, void *bytes, size_t size, int *descriptor);

/// Opens a file without a name in `directory` for reading and writing, close-on-exec (open(2), O_TMPFILE, which glibc
/// declares for GNU sources only). Returns the descriptor, or -1 and errno.
int tractfs_open_nameless(const char *directory);

/// Opens a file in memory, whose growth can be forbidden later (memfd_create(2), F_SEAL_GROW; for GNU sources only).
/// `name` is visible in /proc.
int tractfs_open_memory(const char *name);

/// Returns the number of columns of the terminal `descriptor` (ioctl(2), which is variadic and so not callable from
/// Swift); 0 if unknown.
int tractfs_terminal_width(int descriptor);

/// Moves the calling thread to a new network namespace (unshare(2), for GNU sources only). For tests. Returns 0, or -1
/// and errno.
int tractfs_leave_network(void);

/// Moves the calling thread to a network namespace, an open file of /proc/PID/ns/net (setns(2), for GNU sources only).
/// For tests. Returns 0, or -1 and errno.
int tractfs_enter_network(int network_namespace);

/// Stores the user of the process at the other end of a socket at the time of the connection (SO_PEERCRED, unix(7), for
/// GNU sources only). Returns 0, or -1 and errno.
int tractfs_peer_user(int socket, uid_t *user);

/// Sets and removes an extended attribute of an open file or folder, to check that the file system supports it. Returns
/// 0, or -1 and errno.
int tractfs_try_attribute(int fd, const char *name);

/// Returns the type of the file system of an open file (statfs(2), `f_type`); 0 if unknown.
uint32_t tractfs_file_system_type(int fd);

/// Locks a whole file (F_RDLCK, F_WRLCK), or unlocks it (F_UNLCK). Like a lock of flock(2), it belongs to the open file;
/// unlike one, network file systems pass it on to other machines (F_OFD_SETLK, fcntl(2), for GNU sources only). Returns
/// 0, or -1 and errno.
int tractfs_lock_file(int fd, short type);

// The configuration of a file system that is then mounted without a mount point, or of one that is already mounted
// (Linux 5.2 and later). glibc has these calls since 2.36. All return 0 or a descriptor that is close-on-exec, or -1 and
// errno.

/// Begins to configure a new file system of this type (fsopen(2)).
int tractfs_fs_open(const char *type);

/// Begins to configure the file system whose root is at `path`, relative to the folder `directory`, or at `directory` if
/// the path is empty (fspick(2)).
int tractfs_fs_pick(int directory, const char *path);

/// Sets a parameter; `value` may have 255 bytes (fsconfig(2), FSCONFIG_SET_STRING).
int tractfs_fs_set(int context, const char *key, const char *value);

/// Creates the file system (FSCONFIG_CMD_CREATE).
int tractfs_fs_create(int context);

/// Applies the parameters to the mounted file system (FSCONFIG_CMD_RECONFIGURE).
int tractfs_fs_reconfigure(int context);

/// Mounts the created file system without a mount point (fsmount(2)), nosuid and nodev.
int tractfs_fs_mount(int context, int is_read_only, int forbids_execution);

/// Attaches such a mount to a mount point (move_mount(2)).
int tractfs_fs_attach(int mount, const char *path);

/// Opens a process as a file that becomes readable at its end, close-on-exec (pidfd_open(2), Linux 5.3 and later; glibc
/// has it since 2.36). Returns the descriptor, or -1 and errno.
int tractfs_open_process(pid_t process);

/// The number of the control call, an ioctl(2) on an open folder of a mount, and the size of the message that it passes
/// both ways (Sources/MountControl). The number contains the size, of which it can hold 16 KiB.
extern const unsigned long TRACTFS_CONTROL;
extern const size_t TRACTFS_CONTROL_BYTE_COUNT;

/// Makes a control call (ioctl(2) is variadic, so that Swift can't call it); 0, or -1 and errno.
int tractfs_control(int directory, void *message);

/// Stores a value in memory shared with other processes. A process that reads it sees all stores before it.
static inline void tractfs_store_release(uint64_t *place, uint64_t value) {
    __atomic_store_n(place, value, __ATOMIC_RELEASE);
}

/// Reads a value stored by `tractfs_store_release`.
static inline uint64_t tractfs_load_acquire(const uint64_t *place) {
    return __atomic_load_n(place, __ATOMIC_ACQUIRE);
}

#endif
