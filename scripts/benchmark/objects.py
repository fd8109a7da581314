"""The objects to read: a bucket as a directory of files, and the list for its listings.

Files of one size are hard links to one file of random bytes; only their keys must differ.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from . import listings

BUCKET = "bench"
KiB = 1024
MiB = 1024 * KiB
GiB = 1024 * MiB

LARGE = [f"large/{index:02}.bin" for index in range(16)]
MEDIUM = [f"medium/{index}.bin" for index in range(4)]
SERIES = "series/timeseries.bin"
SMALL = [f"small/{index:04}.nii.gz" for index in range(1000)]
LARGE_SIZE, MEDIUM_SIZE, SERIES_SIZE = GiB, 256 * MiB, 400 * MiB
# The modification time of all objects, so that ETags stay the same when the objects are made again.
MODIFIED = 1_600_000_000


def small_size(index: int) -> int:
    """Returns a size of 4 to 100 kB, evenly distributed, in an unpredictable order."""
    return 4_000 + (index * 617) % 1000 * 96


@dataclass
class Objects:
    """A directory of objects: `root/BUCKET/KEY` each, and their list in `root/listing`."""

    root: Path
    name = BUCKET

    @property
    def listing_folder(self) -> Path:
        return self.root / "listing"

    def path(self, key: str) -> Path:
        return self.root / BUCKET / key

    def make(self) -> None:
        """Makes missing objects and those of a wrong size; takes some seconds the first time."""
        for group, size in ((LARGE, LARGE_SIZE), (MEDIUM, MEDIUM_SIZE), ([SERIES], SERIES_SIZE)):
            self._make_random(group[0], size)
            for key in group[1:]:
                self._link(key, to=group[0])
        for index, key in enumerate(SMALL):
            self._make_random(key, small_size(index))
        self._write_listing()

    def warm(self) -> None:
        """Reads all objects once, so that the server answers from the page cache."""
        for key in (LARGE[0], MEDIUM[0], SERIES, *SMALL):
            with open(self.path(key), "rb", buffering=0) as file:
                while file.read(8 * MiB):
                    pass

    def _make_random(self, key: str, size: int) -> None:
        path = self.path(key)
        if path.exists() and path.stat().st_size == size and path.stat().st_mtime == MODIFIED:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with open(path, "wb") as file:
            for start in range(0, size, 8 * MiB):
                file.write(os.urandom(min(8 * MiB, size - start)))
        # Last, so that an incomplete file is made again.
        os.utime(path, (MODIFIED, MODIFIED))

    def _link(self, key: str, to: str) -> None:
        path, target = self.path(key), self.path(to)
        if not (path.exists() and path.samefile(target)):
            path.unlink(missing_ok=True)
            os.link(target, path)

    def _write_listing(self) -> None:
        """Writes the list, with nginx's ETags (time and size of a file in hex)."""
        sizes = ((key, self.path(key).stat().st_size) for key in sorted([*LARGE, *MEDIUM, SERIES, *SMALL]))
        listings.write(
            self.listing_folder, ((key, size, f"{MODIFIED:x}-{size:x}") for key, size in sizes), MODIFIED)
