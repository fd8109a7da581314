"""Mounts as objects."""

import atexit
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, Iterable, List, Optional, Type, TypedDict, Union

from tractfs import _program, _table, _temporary
from tractfs._program import OptionValue

AnyPath = Union[str, "os.PathLike[str]"]


class PresignedURL(TypedDict):
    """A URL for a file, as `tractfs presign --json` prints it."""

    key: str
    size: Optional[int]
    url: str
    expires: Optional[str]


class Mount:
    """A mounted bucket, or prefix of one.

    A context manager, which unmounts at the end of its block, and a path: `open(mount / "100307/x.nii.gz")`.
    """

    def __init__(self, uri: str, path: AnyPath, *, owner: Optional[int] = None, is_temporary: bool = False) -> None:
        self.uri = uri
        #: The mount point.
        self.path = Path(path)
        # The process that mounted, and unmounts at its end; None for a mount of another program.
        self._owner = owner
        self._is_temporary = is_temporary
        # Later there may be another mount on the path, which is none of this object's business.
        self._identity = _table.identity(str(self.path))

    def __repr__(self) -> str:
        return f"<tractfs.Mount {self.uri} on {self.path}>"

    def __fspath__(self) -> str:
        return str(self.path)

    def __truediv__(self, name: AnyPath) -> Path:
        return self.path / name

    def __enter__(self) -> "Mount":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._end()

    @property
    def is_mounted(self) -> bool:
        """True until it is unmounted, by this program or another one. Sends no request to the mount."""
        return self._identity is not None and _table.identity(str(self.path)) == self._identity

    def status(self) -> Dict[str, Any]:
        """Returns what the mount does, as `tractfs status --json` prints it (docs/STATUS.md)."""
        status: Dict[str, Any] = json.loads(_program.run("status", "--json", "--", str(self.path)))
        return status

    def warm(
        self, paths: Union[AnyPath, Iterable[AnyPath]] = ".", *, include: Union[str, Iterable[str]] = (),
        exclude: Union[str, Iterable[str]] = (), **options: OptionValue,
    ) -> None:
        """Fetches files, and all files below folders, into the cache, and returns when they are there.

        Args:
            paths: Files and folders, relative to the mount.
            include: Patterns of the files to fetch; all by default. "*" matches "/" too.
            exclude: Patterns of files not to fetch.
            options: Other options of `tractfs warm`: metadata=True, keep=True, parallel=32.
        """
        # The command tells its progress on standard error; a failure is an error.
        _program.finish(
            "warm", *_program.options(options), *_patterns(include, exclude), "--", *self._paths(paths))

    def refresh(self, paths: Union[AnyPath, Iterable[AnyPath]] = ".") -> None:
        """Discards the listings of folders, so that programs see what is in the bucket now."""
        _program.run("refresh", "--", *self._paths(paths))

    def presign(self, path: AnyPath, *, expires_in: Union[str, int, None] = None) -> str:
        """Returns a URL with which anyone can download a file for a limited time, by default an hour."""
        return _program.run(
            "presign", *_program.options({"expires_in": expires_in}), "--", *self._paths(path)).strip()

    def presign_all(
        self, path: AnyPath = ".", *, include: Union[str, Iterable[str]] = (), exclude: Union[str, Iterable[str]] = (),
        expires_in: Union[str, int, None] = None,
    ) -> List[PresignedURL]:
        """Returns URLs for all files below a folder that match the patterns."""
        urls: List[PresignedURL] = json.loads(_program.run(
            "presign", "--recursive", "--json", *_program.options({"expires_in": expires_in}),
            *_patterns(include, exclude), "--", *self._paths(path)))
        return urls

    def unmount(self, *, grace: Optional[str] = None) -> None:
        """Unmounts, unless that has happened already.

        Args:
            grace: The time for which programs may go on reading what they have open: "1m"; 5 seconds by default.
        """
        if self.is_mounted:
            try:
                _program.run("unmount", *_program.options({"grace": grace}), "--", str(self.path))
            except _program.TractfsError as error:
                # Another program may have unmounted meanwhile.
                if self.is_mounted or "is unmounted, but" in str(error):
                    raise
        if self._is_temporary:
            _temporary.remove(self.path)
        if _owned.get(str(self.path)) is self:
            del _owned[str(self.path)]

    def _end(self) -> None:
        """Unmounts, except in a process that was forked from the one that mounted."""
        if self._owner == os.getpid():
            self.unmount()

    def _paths(self, paths: Union[AnyPath, Iterable[AnyPath]]) -> List[str]:
        listed = [paths] if isinstance(paths, (str, os.PathLike)) else paths
        return [os.path.normpath(self.path / path) for path in listed]


def mount(uri: str, path: Optional[AnyPath] = None, **options: OptionValue) -> Mount:
    """Mounts a bucket, or a prefix of one, until `unmount()` or the end of this process.

    Args:
        uri: "s3://BUCKET/PREFIX".
        path: An empty folder; by default a temporary one.
        options: The options of `tractfs mount`, with "_" for "-": profile="hcp", read_timeout="2m", cache=False.

    Raises:
        TractfsError: The mount failed; the text says why, and what to do.
    """
    for name in ("foreground", "no_foreground", "owner_pid", "o"):
        if name in options:
            raise TypeError(f"{name} is no option of tractfs.mount, which mounts until the end of this process")
    owner = os.getpid()
    is_temporary = path is None
    if is_temporary:
        _temporary.remove_dead()
    # The kernel's table has mount points without symbolic links.
    point = _temporary.make() if path is None else os.path.realpath(path)
    try:
        # Last, because the last one of two options applies, and behind those of configuration files.
        output = _program.finish(
            "mount", *_program.options(options), "--no-foreground", f"--owner-pid={owner}", "--", uri, point)
    except BaseException:
        if is_temporary:
            _temporary.remove(point)
        raise
    made = Mount(uri, point, owner=owner, is_temporary=is_temporary)
    _owned[point] = made
    try:
        _program.warn(output.notices)
    except _program.TractfsWarning:
        # Warnings are errors, and the caller gets no object.
        made.unmount()
        raise
    return made


def mounts() -> List[Mount]:
    """Returns all mounts of tractfs on this machine, also those of other programs."""
    found: List[Dict[str, Any]] = json.loads(_program.run("status", "--json"))
    mounts = []
    for each in found:
        owned = _owned.get(each["mount_point"])
        is_owned = owned is not None and owned.is_mounted
        mounts.append(owned if owned and is_owned else Mount(each.get("uri") or each["source"], each["mount_point"]))
    return mounts


# The mounts of this process that still exist, by mount point.
_owned: Dict[str, Mount] = {}


@atexit.register
def _end_all() -> None:
    for each in list(_owned.values()):
        try:
            each._end()
        except _program.TractfsError:
            # The mount ends with this process all the same (--owner-pid).
            pass


def _patterns(include: Union[str, Iterable[str]], exclude: Union[str, Iterable[str]]) -> List[str]:
    arguments = []
    for name, patterns in (("include", include), ("exclude", exclude)):
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            arguments.append(f"--{name}={pattern}")
    return arguments
