"""The list of a bucket's objects for listing.lua, with prepared XML, so that a page costs almost nothing.

It is a folder of arrays that the server maps into memory: `keys` (the keys in S3's order), `contents` (a `<Contents>` element
for each key, escaped for XML) and `encoded` (the same with keys encoded for encoding-type=url). `NAME.ends` has 0 and the
end of each item of `NAME`, as 32-bit integers.
"""

import mmap
import shutil
import sys
import time
from array import array
from html import escape
from pathlib import Path
from typing import Iterable, Iterator
from urllib.parse import quote_plus

ARRAYS = ("keys", "contents", "encoded")
# The number of bytes to buffer before writing.
BUFFER_SIZE = 8 * 1024 * 1024
# Keys that need no escaping: most keys match, and escaping takes most of the time.
PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")


class Listing:
    """The number of keys and the identity of a list that `write` has written."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._keys = _mapped(folder / "keys")
        self._ends = memoryview(_mapped(folder / "keys.ends")).cast("I")

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> str:
        return self._keys[self._ends[index]:self._ends[index + 1]].decode()

    def __iter__(self) -> Iterator[str]:
        return (self[index] for index in range(len(self)))


def write(folder: Path, objects: Iterable[tuple[str, int, str]], modified: int) -> None:
    """Writes the list of `(key, size, ETag)`, sorted by the UTF-8 bytes of the keys, and replaces `folder`."""
    making = folder.with_name(folder.name + ".part")
    shutil.rmtree(making, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    making.mkdir(parents=True)
    time_text = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(modified))
    keys, contents, encoded = arrays = [_Array(making / name) for name in ARRAYS]
    previous = b""
    for key, size, etag in objects:
        name = key.encode()
        if name <= previous:
            raise ValueError(f"keys are not sorted: {key} follows {previous.decode()}")
        previous = name
        rest = (f"</Key><LastModified>{time_text}</LastModified><ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size>"
                "<StorageClass>STANDARD</StorageClass></Contents>").encode()
        is_plain = PLAIN.issuperset(name)
        keys.append(name)
        contents.append(b"<Contents><Key>" + (name if is_plain else escape(key).encode()) + rest)
        encoded.append(b"<Contents><Key>" + (name if is_plain else quote_plus(key, safe="/").encode()) + rest)
    for made in arrays:
        made.finish()
    # Written last, so that an incomplete list is made again.
    making.rename(folder)


class _Array:
    """One of the arrays while it is written."""

    def __init__(self, path: Path):
        self._path, self._file = path, open(path, "wb")
        self._ends, self._pending, self._pending_size, self._end = array("I", [0]), [], 0, 0

    def append(self, item: bytes) -> None:
        self._pending.append(item)
        self._pending_size += len(item)
        self._end += len(item)
        self._ends.append(self._end)
        if self._pending_size > BUFFER_SIZE:
            self._write_pending()

    def finish(self) -> None:
        self._write_pending()
        self._file.close()
        if sys.byteorder != "little":
            self._ends.byteswap()
        Path(f"{self._path}.ends").write_bytes(self._ends.tobytes())

    def _write_pending(self) -> None:
        self._file.writelines(self._pending)
        self._pending, self._pending_size = [], 0


def _mapped(path: Path) -> mmap.mmap:
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
