"""What no file system can beat: parallel ranged GETs by curl, and reading a file on this disk."""

import subprocess
import time

from . import readers
from .objects import BUCKET, MiB

CURL_CONNECTIONS = 64
RANGE_SIZE = 8 * MiB


def whole(key: str, size: int) -> list[tuple[str, int, int]]:
    """A whole object as ranges `(key, offset, length)` of 8 MiB."""
    return [(key, offset, min(RANGE_SIZE, size - offset)) for offset in range(0, size, RANGE_SIZE)]


def curl(url: str, ranges: list[tuple[str, int, int]]) -> tuple[float, readers.Work]:
    """Gets ranges with `curl -Z --parallel-max 64`, and drops the bytes."""
    transfers = [
        f'url = "{url}/{BUCKET}/{key}"\nrange = "{offset}-{offset + length - 1}"\noutput = "/dev/null"\nsilent\nfail\n'
        for key, offset, length in ranges]
    began = time.monotonic()
    subprocess.run(
        ["curl", "--no-progress-meter", "-Z", "--parallel-max", str(CURL_CONNECTIONS), "--config", "-"],
        input="next\n".join(transfers), text=True, check=True)
    seconds = time.monotonic() - began
    return seconds, readers.Work(bytes=sum(length for _, _, length in ranges), operations=len(ranges))


def native(path: str, time_limit: float) -> tuple[float, readers.Work]:
    """Reads a file of this disk whose pages are in memory."""
    readers.run([readers.sequential(path)], time_limit)
    return readers.run([readers.sequential(path)], time_limit)
