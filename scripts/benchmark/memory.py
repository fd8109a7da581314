"""Preparation of the machine's memory for a run."""

import mmap

from .objects import GiB

# More than the new memory of a run: pages of the file, the reader's buffers, the page cache of a disk cache.
TOUCHED_SIZE = 4 * GiB


def touch_free_memory() -> None:
    """Uses memory once and frees it again.

    The host of a virtual machine reclaims free memory (free page reporting), and provides it again page by page on access.
    That costs more than the measured work: up to a second for 1 GiB. Reading into recently used memory doesn't have this cost,
    nor does a limit without memory, such as curl's.
    """
    with mmap.mmap(-1, TOUCHED_SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE):
        pass
