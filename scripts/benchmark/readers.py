"""Programs that read: each is a function that returns its work, and runs in its own process."""

import json
import mmap
import os
import random
import signal
import time
from dataclasses import asdict, dataclass, field
from typing import Callable, TypeVar

from .objects import MiB


@dataclass
class Work:
    """The work of one reader."""

    bytes: int = 0
    operations: int = 0
    # The duration of each operation, in seconds.
    latencies: list[float] = field(default_factory=list)
    # `True` if the time limit ended it.
    is_partial: bool = False
    # The time of the first result, in seconds, for some readers.
    first_seconds: float | None = None


T = TypeVar("T")
# A reader's argument is the time (of time.monotonic) at which to stop.
Reader = Callable[[float], Work]


def sequential(path: str, step: int = MiB) -> Reader:
    """Reads a file in order, like dd with bs=`step`."""
    def read(deadline: float) -> Work:
        work, buffer = Work(), bytearray(step)
        with open(path, "rb", buffering=0) as file:
            while count := file.readinto(buffer):
                work.bytes += count
                work.operations += 1
                if time.monotonic() > deadline:
                    work.is_partial = True
                    break
        return work
    return read


def extents(path: str, wanted: list[tuple[int, int]]) -> Reader:
    """Reads ranges `(offset, length)` of one file with pread."""
    def read(deadline: float) -> Work:
        work, buffer = Work(), memoryview(bytearray(max(length for _, length in wanted)))
        descriptor = os.open(path, os.O_RDONLY)
        _do_each(work, wanted, deadline, lambda extent: os.preadv(descriptor, [buffer[:extent[1]]], extent[0]))
        os.close(descriptor)
        return work
    return read


def headers(paths: list[str], length: int) -> Reader:
    """Opens each file, reads its first `length` bytes, and closes it."""
    def read_head(path: str) -> int:
        descriptor = os.open(path, os.O_RDONLY)
        count = len(os.read(descriptor, length))
        os.close(descriptor)
        return count

    def read(deadline: float) -> Work:
        work = Work()
        _do_each(work, paths, deadline, read_head)
        return work
    return read


def listed_headers(folder: str, length: int) -> Reader:
    """Returns `headers` of all files of a folder, in the order of its listing."""
    return lambda deadline: headers([entry.path for entry in os.scandir(folder)], length)(deadline)


def touches(path: str, offsets: list[int]) -> Reader:
    """Maps a file into memory, and reads one byte at each offset."""
    def read(deadline: float) -> Work:
        work = Work()
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            _do_each(work, offsets, deadline, lambda offset: len(mapped[offset:offset + 1]))
        return work
    return read


def random_offsets(count: int, size: int, alignment: int, seed: int) -> list[int]:
    """Returns distinct multiples of `alignment` below `size`, determined by the seed."""
    return [index * alignment for index in random.Random(seed).sample(range(size // alignment), count)]


def _do_each(work: Work, items: list[T], deadline: float, read: Callable[[T], int]) -> None:
    """Calls `read`, which returns a number of bytes, for one item after the other until the deadline, and times each call."""
    for item in items:
        began = time.monotonic()
        work.bytes += read(item)
        ended = time.monotonic()
        work.latencies.append(ended - began)
        work.operations += 1
        if ended > deadline:
            work.is_partial = work.operations < len(items)
            break


def run(readers: list[Reader], time_limit: float) -> tuple[float, Work]:
    """Runs readers at once, each in its own process.

    Returns the seconds from their start to the end of the last one, and the sum of their work. They should stop after
    `time_limit` seconds. Raises a RuntimeError if one fails or hangs.
    """
    deadline = time.monotonic() + time_limit
    children = [_fork(reader, deadline) for reader in readers]
    began = time.monotonic()
    for _, _, start in children:
        os.close(start)
    total, problems = Work(), []
    for process, results, _ in children:
        with open(results) as stream:
            answer = stream.read()
        _, status = os.waitpid(process, 0)
        if status != 0 or not answer:
            problems.append(answer or f"a reader ended with status {status}")
            continue
        work = Work(**json.loads(answer))
        total.bytes += work.bytes
        total.operations += work.operations
        total.latencies += work.latencies
        total.is_partial |= work.is_partial
        total.first_seconds = work.first_seconds
    if problems:
        raise RuntimeError("; ".join(problems))
    return time.monotonic() - began, total


# The time after the time limit at which SIGALRM ends the process of a read that hangs.
HANG_SECONDS = 30


def _fork(reader: Reader, deadline: float) -> tuple[int, int, int]:
    """Starts a process that waits, and then reads. Returns its id, the pipe of its results, and the pipe to close to start it."""
    results, writing = os.pipe()
    waiting, start = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        os.close(waiting)
        return process, results, start
    status = 1
    try:
        os.close(start)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.alarm(int(deadline - time.monotonic()) + HANG_SECONDS)
        os.read(waiting, 1)
        answer = json.dumps(asdict(reader(deadline)))
        status = 0
    except BaseException as error:
        answer = f"{type(error).__name__}: {error}"
    with open(writing, "w") as stream:
        stream.write(answer)
    # Not sys.exit, which would clean up what belongs to the parent (mounts, the server).
    os._exit(status)
