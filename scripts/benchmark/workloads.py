"""The workloads: the rows of the table, with their limits and targets."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from . import readers
from .limits import whole
from .mounts import Variant
from .objects import (
    GiB, KiB, LARGE, LARGE_SIZE, MEDIUM, MEDIUM_SIZE, MiB, SERIES, SERIES_SIZE, SMALL, small_size)
from .trees import Tree

# Seeds of the random offsets, so that every tool and every run reads the same ones.
SEED = 20_240_229


@dataclass(frozen=True)
class Target:
    """A target: `metric` of a row (results.METRICS) must be at most, or at least, `bound`."""

    metric: str
    # Called when the tree that it depends on exists.
    bound: float | Callable[[], float]
    is_maximum: bool = False

    @property
    def value(self) -> float:
        return self.bound() if callable(self.bound) else self.bound

    def is_reached(self, value: float) -> bool:
        return value <= self.value if self.is_maximum else value >= self.value


def at_least(metric: str, bound: float) -> Target:
    return Target(metric, bound)


def at_most(metric: str, bound: float | Callable[[], float]) -> Target:
    return Target(metric, bound, is_maximum=True)


@dataclass(frozen=True)
class Pages:
    """Pages of listings for curl as the limit, as query strings, with the number of connections."""

    queries: Callable[[], list[str]]
    connections: int


@dataclass(frozen=True)
class NativeWalk:
    """`find` with these options over a tree on the local disk."""

    tree: Tree
    options: list[str]


# The two groups of rows, each with its table.
READING, LISTING = "reading", "listing"


@dataclass(frozen=True)
class Workload:
    """One way to read or list something."""

    name: str
    title: str
    # Makes the readers from the mount point.
    readers: Callable[[Path], list[readers.Reader]]
    group: str = READING
    port: str = "limited"
    # The bucket, unless it is the one with data.
    bucket: Tree | None = None
    # The ranges (key, offset, length) for `curl -Z` as the limit; empty if there is another limit.
    curl: list[tuple[str, int, int]] = field(default_factory=list)
    pages: Pages | None = None
    is_compared_with_native: bool = False
    native_walk: NativeWalk | None = None
    # Another row whose rate, by the same tool, is the limit.
    baseline: str | None = None
    variant: Variant = Variant()
    # `True` to fill the disk cache and remount before the measurement.
    is_warm: bool = False
    # Work in the same mount before the measurement.
    warm_up: Callable[[Path], list[readers.Reader]] | None = None
    # `True` if the time includes mounting.
    is_mount_timed: bool = False
    # In seconds, if it differs from the other rows.
    time_limit: float | None = None
    # The bytes by which each operation advances, if that is more than it reads; the rate is then that of the advance.
    bytes_passed: int | None = None
    # The figure to compare with the limit's.
    compared: str = "rate"
    targets: tuple[Target, ...] = ()
    is_core: bool = False
    # `True` for tractfs only: the others would take minutes, or have no such option.
    is_ours_only: bool = False


def first(root: Path) -> str:
    return str(root / LARGE[0])


def strided() -> list[tuple[int, int]]:
    return [(offset, 256 * KiB) for offset in range(0, LARGE_SIZE, 16 * MiB)]


def backward(total: int, step: int) -> list[tuple[int, int]]:
    return [(offset, step) for offset in range(LARGE_SIZE - step, LARGE_SIZE - total - step, -step)]


def interleaved() -> list[tuple[int, int]]:
    half = LARGE_SIZE // 2
    return [(start + offset, MiB) for offset in range(0, half, MiB) for start in (0, half)]


def slices() -> list[tuple[int, int]]:
    """Returns the reads of nibabel for a time slice of a CIFTI file: 4.8 kB of every 9.6 kB."""
    return [(offset, 4_800) for offset in range(0, SERIES_SIZE - 4_800, 9_600)]


def random_reads(count: int) -> Callable[[Path], list[readers.Reader]]:
    offsets = readers.random_offsets(count, LARGE_SIZE, 4 * KiB, SEED)
    return lambda root: [readers.extents(first(root), [(offset, 4 * KiB) for offset in offsets])]


def in_range(key: str, wanted: list[tuple[int, int]]) -> list[tuple[str, int, int]]:
    return [(key, offset, length) for offset, length in wanted]


def one_stream(key: str) -> Callable[[Path], list[readers.Reader]]:
    return lambda root: [readers.sequential(str(root / key))]


def streams(keys: list[str]) -> Callable[[Path], list[readers.Reader]]:
    return lambda root: [readers.sequential(str(root / key)) for key in keys]


def reading(wanted: list[tuple[int, int]], key: str = LARGE[0]) -> Callable[[Path], list[readers.Reader]]:
    return lambda root: [readers.extents(str(root / key), wanted)]


FORESEEABLE = (at_most("fetched_ratio", 1.3), at_least("ratio", 0.8))
WHOLE = whole(LARGE[0], LARGE_SIZE)


def reads(random_count: int) -> list[Workload]:
    """Returns all rows about reading, in the order of the table, with the given number of random reads."""
    return [
        Workload(
            "seq", "1 GiB cold, one stream, S3-like port", one_stream(LARGE[0]), curl=WHOLE,
            targets=(at_least("ratio", 0.75),), is_core=True),
        Workload(
            "seq-unlimited", "1 GiB cold, one stream, port without limits", one_stream(LARGE[0]), port="unlimited",
            curl=WHOLE, targets=(at_least("ratio", 0.65), at_most("cpu_per_gib", 0.65)), is_core=True),
        Workload(
            "four", "4 files of 256 MiB at once", streams(MEDIUM),
            curl=[extent for key in MEDIUM for extent in whole(key, MEDIUM_SIZE)], targets=(at_least("ratio", 0.75),)),
        Workload(
            "shared", "1 GiB by 8 processes at once", streams([LARGE[0]] * 8), baseline="seq",
            targets=(at_most("time_ratio", 1.3), at_most("fetched_mib", 1_075))),
        Workload(
            "warm", "1 GiB warm, in the disk cache", one_stream(LARGE[0]), port="unlimited",
            variant=Variant(is_cached=True), is_warm=True, is_compared_with_native=True,
            targets=(at_least("ratio", 0.90), at_most("cpu_per_gib", 0.02), at_most("gets", 0)), is_core=True),
        Workload(
            "warm-stacked", "the same, the cache on an overlayfs", one_stream(LARGE[0]), port="unlimited",
            variant=Variant(is_cached=True, is_stacked=True), is_warm=True, is_compared_with_native=True,
            targets=(at_least("rate", 1.5e9), at_most("gets", 0)), is_ours_only=True),
        Workload(
            "cold-cache", "1 GiB cold, with the disk cache", one_stream(LARGE[0]), variant=Variant(is_cached=True),
            baseline="seq", targets=(at_least("ratio", 0.85),)),
        Workload(
            "random", f"{random_count:,} random reads of 4 KiB", random_reads(random_count),
            targets=(at_most("p50_ms", 22), at_most("fetched_mib", 0.150 * random_count)), is_core=True),
        Workload(
            "strided", "256 KiB every 16 MiB", reading(strided()), curl=in_range(LARGE[0], strided()),
            targets=FORESEEABLE, is_core=True),
        Workload(
            "backward", "1 GiB backward in 1 MiB", reading(backward(LARGE_SIZE, MiB)), curl=WHOLE, targets=FORESEEABLE),
        Workload(
            "backward-128k", "256 MiB backward in 128 KiB", reading(backward(256 * MiB, 128 * KiB)),
            curl=WHOLE[-32:], targets=FORESEEABLE),
        Workload(
            "interleaved", "1 GiB by two cursors in turns", reading(interleaved()), curl=WHOLE, targets=FORESEEABLE),
        Workload("series", "400 MiB cold, one stream", one_stream(SERIES), curl=whole(SERIES, SERIES_SIZE)),
        Workload(
            "slices", "4.8 kB read, 4.8 kB skipped in these 400 MiB", reading(slices(), SERIES), baseline="series",
            bytes_passed=9_600, targets=(at_least("ratio", 0.5),)),
        Workload(
            "small", "1,000 small files: open, 348 bytes, close",
            lambda root: [readers.listed_headers(str(root / "small"), 348)],
            curl=[(key, 0, small_size(index)) for index, key in enumerate(SMALL)],
            compared="per_second",
            targets=(at_least("per_second", 400), at_most("gets", 1_000), at_most("heads", 0)), is_core=True),
        Workload(
            "mmap", "500 random touches of a mapped file",
            lambda root: [readers.touches(first(root), readers.random_offsets(500, LARGE_SIZE, 4 * KiB, SEED))],
            targets=(at_most("fetched_mib_each", 2), at_most("p50_ms", 60))),
        Workload(
            "many", "16 files of 1 GiB at once", streams(LARGE), is_ours_only=True,
            curl=[extent for key in LARGE[:4] for extent in whole(key, GiB)]),
        Workload(
            "many-256MiB", "the same with --memory-limit 256MiB", streams(LARGE), baseline="many", is_ours_only=True,
            variant=Variant(memory_limit="256MiB"), targets=(at_most("memory_mib", 320), at_least("ratio", 0.5))),
    ]
