"""Buckets for listing: keys and sizes without data. The server answers LIST and HEAD for them."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Callable, Iterator
from urllib.parse import quote_plus

from . import hcp, listings
from .objects import MODIFIED, MiB

PAGE_SIZE = 1_000
# aws-cli uploads larger objects in parts of this size; their ETags are not MD5s.
UPLOAD_PART_SIZE = 8 * MiB
# `find -size +1` skips files of at most one block of 512 bytes.
BLOCK_SIZE = 512


class Tree:
    """A bucket of keys: its name, and a function that yields its `(key, size)` in the order of the keys."""

    def __init__(self, name: str, objects: Callable[[], Iterator[tuple[str, int]]], source: str = "made"):
        """`source` distinguishes trees with the same name."""
        self.name, self.objects, self.source = name, objects, source

    def make(self, root: Path) -> None:
        """Writes the server's list into `root` if it is missing: seconds for 2,000,000 keys."""
        self.listing_folder = root / "trees" / f"{self.name}.{self.source}"
        if not self.listing_folder.exists():
            objects = ((key, size, etag(key, size)) for key, size in self.objects())
            listings.write(self.listing_folder, objects, MODIFIED)

    @cached_property
    def listing(self) -> listings.Listing:
        return listings.Listing(self.listing_folder)

    @property
    def key_count(self) -> int:
        return len(self.listing)

    @cached_property
    def folders(self) -> dict[str, int]:
        """Each folder ("" is the root), and its number of entries."""
        folders = {"": 0}
        for key in self.listing:
            _count_entry(key, folders)
        return folders

    @property
    def entry_count(self) -> int:
        """The number of files and folders, with the root: the lines of `find`."""
        return self.key_count + len(self.folders)

    @cached_property
    def counted_by_size(self) -> int:
        """The number of lines of `find -type f -size +1`."""
        return sum(size > BLOCK_SIZE for _, size in self.objects())

    def flat_pages(self) -> list[str]:
        """Returns query strings for all pages of a listing without a delimiter, for requests in any order."""
        return [self._page(first, "") for first in range(0, self.key_count, PAGE_SIZE)]

    def folder_pages(self, folder: str) -> list[str]:
        """Returns the same with a delimiter for the bucket's only folder, which has no subfolders."""
        return [self._page(first, f"&delimiter=/&prefix={folder}/") for first in range(0, self.key_count, PAGE_SIZE)]

    def _page(self, first: int, what: str) -> str:
        after = f"&start-after={quote_plus(self.listing[first - 1])}" if first else ""
        return f"list-type=2&encoding-type=url&max-keys={PAGE_SIZE}{what}{after}"


def _count_entry(name: str, folders: dict[str, int]) -> None:
    """Counts an entry in its folder, and a new folder in its parent."""
    folder = name.rpartition("/")[0]
    if folder not in folders:
        folders[folder] = 0
        _count_entry(folder, folders)
    folders[folder] += 1


def etag(key: str, size: int) -> str:
    """Returns a simulated ETag: an MD5, or an MD5 and the number of parts."""
    digest = hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()
    return f"{digest}-{-(-size // UPLOAD_PART_SIZE)}" if size > UPLOAD_PART_SIZE else digest


def _size(index: int) -> int:
    """Returns a size of 4 kB to 40 MB, in an unpredictable order."""
    return 4_000 + (index * 2_654_435_761) % 40_000_000


def _subjects(subjects: int, folders: int, files: int) -> Iterator[tuple[str, int]]:
    """Yields subjects whose files are distributed evenly over folders."""
    index = 0
    for subject in range(1, subjects + 1):
        for folder in range(folders):
            for file in range(files // folders + (folder < files % folders)):
                yield f"sub-{subject:03}/run-{folder + 1:02}/vol-{file:04}.nii.gz", _size(index)
                index += 1


MILLION_FOLDER = "series"


def _one_folder(files: int) -> Iterator[tuple[str, int]]:
    return ((f"{MILLION_FOLDER}/img-{index:07}.dcm", 526_000 + index % 1_000) for index in range(files))


FLAT_SUBJECTS = Tree("flat-subjects", lambda: _subjects(20, 45, 1_000))
HCP20 = Tree("hcp20", lambda: hcp.objects(20), hcp.source())
HUNDRED_THOUSAND = Tree("hundred-thousand", lambda: _subjects(20, 45, 5_000))
MILLION = Tree("million", lambda: _one_folder(1_000_000))
TWO_MILLION = Tree("two-million", lambda: _subjects(100, 40, 20_000))
TREES = {tree.name: tree for tree in (FLAT_SUBJECTS, HUNDRED_THOUSAND, HCP20, MILLION, TWO_MILLION)}
