"""Temporary folders to mount on."""

import errno
import os
import re
import tempfile
from pathlib import Path
from threading import Thread
from typing import List

from tractfs import _program, _table

# The name has the process that mounts: another process leaves the folder alone as long as that one exists.
_NAME = re.compile(r"tractfs-python-([1-9][0-9]*)-[a-z0-9_]{8}")

# A mount whose server is gone answers at once. Any other one is left alone, however long it needs.
_ANSWER_TIMEOUT = 1.0


def make() -> str:
    """Returns the path of a new folder, without symbolic links."""
    return os.path.realpath(tempfile.mkdtemp(prefix=f"tractfs-python-{os.getpid()}-"))


def remove(folder: "os.PathLike[str] | str") -> None:
    """Removes a folder, unless another process still uses it."""
    try:
        os.rmdir(folder)
    except OSError:
        pass


def remove_dead() -> None:
    """Removes the folders of ended processes of this user whose mounts are dead.

    A mount is dead if its server and its supervisor were killed together with the process that mounted.
    """
    parent = os.path.realpath(tempfile.gettempdir())
    for entry in list(_table.entries()):
        folder = Path(entry.point)
        name = _NAME.fullmatch(folder.name)
        if (
            name and str(folder.parent) == parent and entry.kind == "fuse.tractfs"
            and f"user_id={os.getuid()}" in entry.options.split(",") and not _exists(int(name[1])) and _is_dead(folder)
        ):
            try:
                _program.run("unmount", "--grace=0s", "--", str(folder))
            except _program.TractfsError:
                continue
            remove(folder)


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass
    return True


def _is_dead(folder: Path) -> bool:
    """Returns whether a mount has no server, which a request finds out."""
    found: List[bool] = []

    def ask() -> None:
        try:
            # Unlike attributes, what this asks for is never in the kernel's cache.
            os.statvfs(folder)
        except OSError as error:
            found.append(error.errno == errno.ENOTCONN)

    # A thread, because a server that hangs would block this one.
    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_ANSWER_TIMEOUT)
    return found == [True]
