"""Programs that list: readers (readers.Reader) of names and attributes, not of data. Each operation is an entry."""

import glob
import os
import subprocess
import time
from pathlib import Path

from .objects import MiB
from .readers import Reader, Work


def program(command: list[str | Path], line_count: int | None = None) -> Reader:
    """Runs a program that prints a line for each entry. Raises an error unless there are `line_count` lines."""
    def read(deadline: float) -> Work:
        began = time.monotonic()
        work = Work()
        with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"}) as process:
            _count_lines(process, work, began, deadline)
        if not work.is_partial and process.returncode != 0:
            raise RuntimeError(f"{command[0]} ended with status {process.returncode}")
        return _checked(work, line_count, str(command[0]))
    return read


def _count_lines(process: subprocess.Popen, work: Work, began: float, deadline: float) -> None:
    output = process.stdout.fileno()
    while block := os.read(output, MiB):
        now = time.monotonic()
        if work.first_seconds is None:
            work.first_seconds = now - began
        work.bytes += len(block)
        work.operations += block.count(b"\n")
        if now > deadline:
            work.is_partial = True
            process.kill()
            break


def _checked(work: Work, count: int | None, what: str) -> Work:
    if count is not None and not work.is_partial and work.operations != count:
        raise RuntimeError(f"{what} found {work.operations:,} of {count:,}")
    return work


def python_walk(root: Path, count: int) -> Reader:
    """Walks the whole tree with os.walk."""
    def read(deadline: float) -> Work:
        work = Work(operations=1)
        for _, folders, files in os.walk(root):
            work.operations += len(folders) + len(files)
            if time.monotonic() > deadline:
                work.is_partial = True
                break
        return _checked(work, count, "os.walk")
    return read


def python_glob(root: Path, pattern: str, count: int) -> Reader:
    """Evaluates a pattern with glob.glob."""
    return lambda deadline: _checked(Work(operations=len(glob.glob(pattern, root_dir=root))), count, "glob")


def stats(paths: list[str]) -> Reader:
    """Calls stat for paths that exist."""
    def read(deadline: float) -> Work:
        for path in paths:
            os.stat(path)
        return Work(operations=len(paths))
    return read


def absences(paths: list[str]) -> Reader:
    """Calls stat for absent paths."""
    def read(deadline: float) -> Work:
        for path in paths:
            try:
                os.stat(path)
            except FileNotFoundError:
                continue
            raise RuntimeError(f"{path} exists")
        return Work(operations=len(paths))
    return read
