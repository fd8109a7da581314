"""The machine's memory, made ready for a run."""

import mmap

from .objects import GiB

# What a run needs anew, and some more: pages of the file, the reader's buffers, the page cache of a disk cache.
TOUCHED_SIZE = 4 * GiB


def touch_free_memory() -> None:
    """Uses memory once and frees it again.

    A virtual machine's host takes back what is free (free page reporting), and provides it again page by page when it is
    touched, which costs more than what we measure: up to a second for 1 GiB. Whoever reads into memory that was just used
    doesn't pay for that, and a limit that needs no memory, such as curl's, never does.
    """
    with mmap.mmap(-1, TOUCHED_SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE):
        pass
