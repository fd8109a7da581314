"""The program tractfs, which does the work."""

import numbers
import os
import shutil
import subprocess
import warnings
from functools import lru_cache
from importlib import metadata
from typing import List, Mapping, NamedTuple, Optional, Union

OptionValue = Union[str, int, float, "os.PathLike[str]", None]


class TractfsError(Exception):
    """The program failed; the text is its message, which says why and what to do."""

    def __init__(self, message: str, exit_status: Optional[int] = None) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class ProgramNotFound(TractfsError):
    """The program is missing, or can't be executed on this machine."""


class TractfsWarning(UserWarning):
    """The program succeeded, and told something all the same: the URL ends before the time that was asked for."""


class Output(NamedTuple):
    """The output of a program that succeeded."""

    text: str
    #: The lines of standard error.
    notices: List[str]


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
    raise ProgramNotFound(
        "the program tractfs is missing; install the wheel again: pip install --force-reinstall ./tractfs-*.whl, or put "
        "the program in PATH")


def options(values: Mapping[str, OptionValue]) -> List[str]:
    """Returns options of the command line: read_timeout="2m" as --read-timeout=2m, cache=False as --no-cache."""
    arguments = []
    for name, value in values.items():
        dashed = name.replace("_", "-")
        # numpy's type of truth values is no kind of bool, and has either name.
        if type(value).__name__ in ("bool", "bool_"):
            arguments.append(f"--{dashed}" if value else f"--{_opposite(dashed)}")
        elif isinstance(value, (str, numbers.Real, os.PathLike)):
            arguments.append(f"--{dashed}={os.fspath(value) if isinstance(value, os.PathLike) else value}")
        elif value is not None:
            raise TypeError(f"{name} is to be a text, a number, a path, True or False, not {value!r}")
    return arguments


def _opposite(option: str) -> str:
    return option[len("no-"):] if option.startswith("no-") else f"no-{option}"


def finish(*arguments: str) -> Output:
    """Runs the program, and returns its output.

    Raises `TractfsError` with its message if it fails.
    """
    try:
        done = subprocess.run(
            [path(), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    except OSError as error:
        raise ProgramNotFound(f"{path()} can't be executed: {error.strerror}") from error
    message = os.fsdecode(done.stderr).strip()
    if done.returncode != 0:
        raise TractfsError(_without(_NAME, message), done.returncode)
    return Output(os.fsdecode(done.stdout), [_without(_NAME, line) for line in message.splitlines()])


def run(*arguments: str) -> str:
    """Does the same, and returns what the program printed. Its warnings are Python's, in the caller of the caller."""
    output = finish(*arguments)
    warn(output.notices, stacklevel=4)
    return output.text


def warn(notices: List[str], stacklevel: int = 3) -> None:
    for notice in notices:
        warnings.warn(_without("warning: ", notice), TractfsWarning, stacklevel=stacklevel)


_NAME = "tractfs: "


def _without(prefix: str, text: str) -> str:
    return text[len(prefix):] if text.startswith(prefix) else text
