"""The program tractfs, which does the work."""

import os
import shutil
import subprocess
from functools import lru_cache
from importlib import metadata
from typing import List, Mapping, Optional, Union

OptionValue = Union[str, int, float, "os.PathLike[str]", None]


class TractfsError(Exception):
    """The program failed; the text is its message, which says why and what to do."""

    def __init__(self, message: str, exit_status: Optional[int] = None) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class ProgramNotFound(TractfsError):
    """The program is missing, or can't be executed on this machine."""


@lru_cache(maxsize=None)
def path() -> str:
    """Returns the path of the program: the one that pip installed with this package, else the first in `PATH`."""
    try:
        files = metadata.distribution("tractfs").files or []
    except metadata.PackageNotFoundError:
        files = []
    installed = [str(file.locate()) for file in files if file.name == "tractfs" and file.parent.name == "bin"]
    for candidate in [*installed, shutil.which("tractfs")]:
        if candidate is not None and os.access(candidate, os.X_OK):
            return os.path.realpath(candidate)
    raise ProgramNotFound("the program tractfs is missing; install it with: pip install tractfs")


def options(values: Mapping[str, OptionValue]) -> List[str]:
    """Returns options of the command line: read_timeout="2m" as --read-timeout=2m, cache=False as --no-cache."""
    arguments = []
    for name, value in values.items():
        dashed = name.replace("_", "-")
        if value is True or value is False:
            arguments.append(f"--{dashed}" if value else f"--no-{dashed}")
        elif value is not None:
            arguments.append(f"--{dashed}={os.fspath(value) if isinstance(value, os.PathLike) else value}")
    return arguments


def run(*arguments: str) -> str:
    """Runs the program, and returns its output.

    Raises `TractfsError` with its message if it fails.
    """
    try:
        done = subprocess.run(
            [path(), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    except OSError as error:
        raise ProgramNotFound(f"{path()} can't be executed: {error.strerror}") from error
    if done.returncode != 0:
        message = os.fsdecode(done.stderr).strip()
        prefix = "tractfs: "
        raise TractfsError(message[len(prefix):] if message.startswith(prefix) else message, done.returncode)
    return os.fsdecode(done.stdout)
