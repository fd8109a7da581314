"""The limits of any file system: parallel ranged GETs and listings by curl, and reading a file on the local disk."""

import subprocess
import time

from . import readers
from .objects import BUCKET, MiB

CURL_CONNECTIONS = 64
RANGE_SIZE = 8 * MiB


def whole(key: str, size: int) -> list[tuple[str, int, int]]:
    """Returns a whole object as ranges `(key, offset, length)` of 8 MiB."""
    return [(key, offset, min(RANGE_SIZE, size - offset)) for offset in range(0, size, RANGE_SIZE)]


def curl(url: str, ranges: list[tuple[str, int, int]]) -> tuple[float, readers.Work]:
    """Gets ranges with `curl -Z --parallel-max 64`."""
    seconds = _transfer(
        [(f"{url}/{BUCKET}/{key}", f'range = "{offset}-{offset + length - 1}"') for key, offset, length in ranges],
        CURL_CONNECTIONS)
    return seconds, readers.Work(bytes=sum(length for _, _, length in ranges), operations=len(ranges))


def curl_pages(url: str, bucket: str, queries: list[str], connections: int) -> tuple[float, readers.Work]:
    """Gets pages of listings, over a number of connections."""
    seconds = _transfer([(f"{url}/{bucket}?{query}", "") for query in queries], connections)
    return seconds, readers.Work(operations=len(queries))


def _transfer(transfers: list[tuple[str, str]], connections: int) -> float:
    """Gets URLs, each with an additional option, and drops the bytes; returns the seconds."""
    config = "next\n".join(
        f'url = "{url}"\n{option}\noutput = "/dev/null"\nsilent\nfail\n' for url, option in transfers)
    parallel = ["-Z", "--parallel-max", str(connections)] if connections > 1 else []
    began = time.monotonic()
    subprocess.run(
        ["curl", "--no-progress-meter", *parallel, "--config", "-"], input=config, text=True, check=True)
    return time.monotonic() - began


def native(path: str, time_limit: float) -> tuple[float, readers.Work]:
    """Reads a local file from the page cache."""
    readers.run([readers.sequential(path)], time_limit)
    return readers.run([readers.sequential(path)], time_limit)
