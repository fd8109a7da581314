"""Runs workloads; the tools take turns."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from . import limits, readers
from .memory import touch_free_memory
from .mounts import Mount, Tool, overlay
from .native import NativeTree
from .objects import BUCKET, LARGE, Objects
from .results import CURL, NATIVE, Results, figures, process_figures, server_figures
from .server import Port, Server
from .workloads import Workload

# Enough for all tools to fill a cache with 1 GiB: a partly filled cache is not warm.
FILL_TIME_LIMIT = 120.0
# A cache that is written in the background is complete when it has not grown for this long.
CACHE_SETTLE_SECONDS = 1.0
CACHE_TIMEOUT_SECONDS = 30.0


class Bench:
    """One measurement of all rows."""

    def __init__(
            self, server: Server, objects: Objects, native_tree: NativeTree, tools: list[Tool], work: Path,
            time_limit: float):
        self._server, self._objects, self._native_tree, self._tools = server, objects, native_tree, tools
        self._work, self._time_limit = work, time_limit
        self.results = Results()

    def run(self, workload: Workload, runs: int) -> None:
        """Measures one row: the limit, then each tool, then all again. Failures are noted in the row."""
        with ExitStack() as stack:
            caches = self._work / "caches"
            shutil.rmtree(caches, ignore_errors=True)
            caches.mkdir()
            if workload.variant.is_stacked:
                if os.geteuid() != 0:
                    print(f"bench: skipping {workload.title}, which needs root for an overlayfs", file=sys.stderr)
                    return
                caches = stack.enter_context(overlay(caches))
            filled: set[str] = set()
            for _ in range(runs):
                self._measure_limit(workload)
                for tool in self._tools:
                    self._measure(workload, tool, caches / tool.name, filled)

    def _measure_limit(self, workload: Workload) -> None:
        measured = self._limit(workload)
        if measured:
            name = CURL if workload.curl or workload.pages else NATIVE
            self.results.row(workload, name).runs.append(figures(workload, *measured))

    def _limit(self, workload: Workload) -> tuple[float, readers.Work] | None:
        """Returns the seconds and the work of the limit that a row is compared with, if there is one."""
        url = self._port(workload).url
        if workload.curl:
            return limits.curl(url, workload.curl)
        if workload.pages:
            return limits.curl_pages(url, _bucket(workload), workload.pages.queries(), workload.pages.connections)
        if workload.native_walk:
            walk = workload.native_walk
            return self._native_tree.find(walk.tree, walk.options, FILL_TIME_LIMIT)
        if workload.is_compared_with_native:
            # A copy on the disk of the caches.
            copy = self._work / "native.bin"
            if not copy.exists():
                shutil.copyfile(self._objects.path(LARGE[0]), copy)
            return limits.native(str(copy), self._time_limit)
        return None

    def _measure(self, workload: Workload, tool: Tool, cache: Path, filled: set[str]) -> None:
        if workload.is_ours_only and tool.name != "tractfs":
            return
        row = self.results.row(workload, tool.name)
        if not tool.can(workload.variant):
            row.note = "has no such option"
            return
        try:
            if tool.name not in filled:
                self._prepare(cache, workload, tool)
                if workload.is_warm:
                    filled.add(tool.name)
            row.runs.append(self._mounted_run(workload, tool, cache))
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            row.note = "failed: " + " ".join(str(error).split())
            return
        if row.runs[-1]["is_partial"]:
            row.note = f"stopped after {workload.time_limit or self._time_limit:.0f} s"

    def _mounted_run(self, workload: Workload, tool: Tool, cache: Path) -> dict[str, float]:
        port = self._port(workload)
        os.sync()
        touch_free_memory()
        # The requests of mounting count too.
        mark = port.mark()
        with Mount(tool, port.url, _bucket(workload), cache, self._work, workload.variant) as mount:
            idle = mount.usage()
            if workload.warm_up:
                _complete(readers.run(workload.warm_up(mount.root), FILL_TIME_LIMIT)[1])
                port.settle()
                mark = port.mark()
            before = mount.usage()
            seconds, work = readers.run(workload.readers(mount.root), workload.time_limit or self._time_limit)
            after = mount.usage()
        # Counted after unmounting, so that the last prefetches count too.
        traffic = port.traffic(mark)
        if workload.is_mount_timed:
            seconds += mount.seconds
        return {
            **figures(workload, seconds, work), **server_figures(traffic, work),
            **process_figures(idle, before, after, work),
            "mount_seconds": mount.seconds, "is_partial": work.is_partial}

    def _prepare(self, cache: Path, workload: Workload, tool: Tool) -> None:
        """Makes a tool's cache folder: empty, or for a warm workload with all its data."""
        shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir(mode=0o700)
        if not workload.is_warm:
            return
        # By the same port: a cache distinguishes endpoints.
        with Mount(
                tool, self._port(workload).url, _bucket(workload), cache, self._work, workload.variant) as mount:
            _complete(readers.run(workload.readers(mount.root), FILL_TIME_LIMIT)[1])
            _await_stillness(cache)
        # Reads the files into the page cache, in whatever way they were written.
        readers.run([readers.sequential(str(path)) for path in cache.rglob("*") if path.is_file()], self._time_limit)

    def _port(self, workload: Workload) -> Port:
        return self._server.limited if workload.port == "limited" else self._server.unlimited


def _bucket(workload: Workload) -> str:
    return workload.bucket.name if workload.bucket else BUCKET


def _complete(work: readers.Work) -> None:
    """Raises an error if the work is partial: a partly filled cache is not warm."""
    if work.is_partial:
        raise RuntimeError(f"not warm after {FILL_TIME_LIMIT:.0f} s")


def _await_stillness(folder: Path) -> None:
    """Waits until the files of a folder stop growing."""
    deadline = time.monotonic() + CACHE_TIMEOUT_SECONDS
    size, since = -1, time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - since < CACHE_SETTLE_SECONDS:
        now = sum(path.stat().st_blocks for path in folder.rglob("*") if path.is_file())
        if now != size:
            size, since = now, time.monotonic()
        time.sleep(0.1)
