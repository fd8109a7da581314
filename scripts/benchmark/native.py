"""A tree of keys on the local disk, to measure walks without a network."""

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Iterator

from . import readers, walkers
from .objects import MiB
from .trees import Tree

# A new ext4 of this size has enough inodes for HCP20, at one in 4 KiB; the image is a sparse file.
IMAGE_SIZE = 2048 * MiB


class NativeTree:
    """A tree of sparse files on an ext4, made at the first use. Use it in a `with`."""

    def __init__(self, work: Path):
        self._work, self._stack = work, ExitStack()
        self._roots: dict[str, Path] = {}

    def __enter__(self) -> "NativeTree":
        return self

    def __exit__(self, *_) -> None:
        self._stack.close()

    def find(self, tree: Tree, options: list[str], time_limit: float) -> tuple[float, readers.Work]:
        """Runs `find` over the tree, with its dentries and inodes in memory."""
        if tree.name not in self._roots:
            self._roots[tree.name] = self._made(tree)
        walk = walkers.program(["find", self._roots[tree.name], *options])
        readers.run([walk], time_limit)
        return readers.run([walk], time_limit)

    def _made(self, tree: Tree) -> Path:
        print(f"bench: making {tree.key_count:,} files for comparison", file=sys.stderr)
        root = self._folder() / tree.name
        root.mkdir()
        for folder in sorted(tree.folders):
            (root / folder).mkdir(exist_ok=True)
        for key, size in tree.objects():
            file = os.open(root / key, os.O_CREAT | os.O_WRONLY)
            os.ftruncate(file, size)
            os.close(file)
        return root

    def _folder(self) -> Path:
        """Returns a folder on an ext4: below the work folder, or in an image there if that is on another file system."""
        folder = self._work / "native"
        folder.mkdir(exist_ok=True)
        if _file_system(folder) not in ("ext2/ext3", "ext4") and not folder.is_mount():
            self._stack.enter_context(_image(self._work / "native.ext4", folder))
        return folder


@contextmanager
def _image(image: Path, mount_point: Path) -> Iterator[None]:
    """Mounts an ext4 in a file; needs root."""
    with open(image, "wb") as file:
        file.truncate(IMAGE_SIZE)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-i", "4096", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, mount_point], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", mount_point], check=True)
        image.unlink()


def _file_system(folder: Path) -> str:
    """Returns the type as stat(1) prints it: ext2/ext3 for ext4."""
    return subprocess.run(
        ["stat", "-f", "-c", "%T", folder], check=True, capture_output=True, text=True).stdout.strip()
