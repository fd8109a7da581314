"""The kernel's table of mounts."""

import ctypes
import os
import re
from typing import Iterator, NamedTuple, Optional


class Entry(NamedTuple):
    """A line of the table."""

    device: str
    point: str
    kind: str
    source: str
    #: The options of the file system: "user_id=1000".
    options: str


class Identity(NamedTuple):
    """What tells a mount from a later one on the same path.

    The numbers of devices and mounts are given to a later mount at once, often to the next one; `unique` is not, but
    needs Linux 6.8. Before that, a later mount of the same bucket can't be told from the former one.
    """

    device: str
    source: str
    unique: Optional[int]


def entries() -> Iterator[Entry]:
    # In bytes: a path may contain anything, and the kernel escapes only space, tab, newline and backslash in it
    # (proc_pid_mountinfo(5)).
    with open("/proc/self/mountinfo", "rb") as table:
        for line in table:
            fields = line.rstrip(b"\n").split(b" ")
            kind, source, options = fields[fields.index(b"-", 6) + 1:][:3]
            yield Entry(_text(fields[2]), _text(fields[4]), _text(kind), _text(source), _text(options))


def identity(path: str) -> Optional[Identity]:
    """Returns the identity of the visible mount on a path without symbolic links; None if there is none."""
    found = None
    for entry in entries():
        if entry.point == path:
            # The last one covers the others: an overlay on the mount that it shows.
            found = entry
    return found and Identity(found.device, found.source, _unique_id(path))


# <linux/stat.h>, <linux/fcntl.h>
_STATX_MNT_ID_UNIQUE = 0x4000
_AT_FDCWD = -100
_AT_SYMLINK_NOFOLLOW = 0x100
_AT_NO_AUTOMOUNT = 0x800
_AT_STATX_DONT_SYNC = 0x4000


class _Statx(ctypes.Structure):
    _fields_ = [
        ("mask", ctypes.c_uint32), ("_before", ctypes.c_uint8 * 140), ("mount_id", ctypes.c_uint64),
        ("_after", ctypes.c_uint8 * 104),
    ]


def _unique_id(path: str) -> Optional[int]:
    """Returns the number of a mount that no later one gets. Sends no request to the mount."""
    status = _Statx()
    try:
        failed = ctypes.CDLL(None).statx(
            _AT_FDCWD, os.fsencode(path), _AT_SYMLINK_NOFOLLOW | _AT_NO_AUTOMOUNT | _AT_STATX_DONT_SYNC,
            _STATX_MNT_ID_UNIQUE, ctypes.byref(status))
    except AttributeError:
        return None
    return status.mount_id if failed == 0 and status.mask & _STATX_MNT_ID_UNIQUE else None


def _text(field: bytes) -> str:
    return os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match[1], 8)]), field))
