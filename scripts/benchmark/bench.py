"""Runs workloads, the tools taking turns."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from . import limits, readers
from .mounts import Mount, Tool
from .objects import LARGE, Objects
from .results import CURL, NATIVE, Results, figures, process_figures, server_figures
from .server import Port, Server
from .workloads import Workload

# A cache that is written behind the reader is complete when it has not grown for this long.
CACHE_SETTLE_SECONDS = 1.0
CACHE_PATIENCE_SECONDS = 30.0


class Bench:
    """One go at all rows."""

    def __init__(self, server: Server, objects: Objects, tools: list[Tool], work: Path, time_limit: float):
        self._server, self._objects, self._tools, self._work = server, objects, tools, work
        self._time_limit = time_limit
        self.results = Results()

    def run(self, workload: Workload, runs: int) -> None:
        """Measures one row: the limit, then each tool, then all again."""
        filled: set[str] = set()
        for _ in range(runs):
            self._measure_limit(workload)
            for tool in self._tools:
                self._measure(workload, tool, filled)

    def _measure_limit(self, workload: Workload) -> None:
        if workload.curl:
            seconds, work = limits.curl(self._port(workload).url, workload.curl)
        elif workload.is_compared_with_native:
            # A copy on the disk that the caches are on.
            copy = self._work / "native.bin"
            if not copy.exists():
                shutil.copyfile(self._objects.path(LARGE[0]), copy)
            seconds, work = limits.native(str(copy), self._time_limit)
        else:
            return
        row = self.results.row(workload, CURL if workload.curl else NATIVE)
        row.runs.append(figures(workload, seconds, work))

    def _measure(self, workload: Workload, tool: Tool, filled: set[str]) -> None:
        row = self.results.row(workload, tool.name)
        if workload.is_ours_only and tool.name != "tractfs":
            row.note = "not measured"
        elif not tool.can(workload.variant):
            row.note = "has no such option"
        if row.note and not row.runs:
            return
        try:
            cache = self._cache(workload, tool, filled)
            row.runs.append(self._mounted_run(workload, tool, cache))
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            row.note = f"failed: {error}"
        if row.runs and row.runs[-1]["is_partial"]:
            row.note = f"stopped after {self._time_limit:.0f} s"

    def _mounted_run(self, workload: Workload, tool: Tool, cache: Path) -> dict[str, float]:
        port = self._port(workload)
        os.sync()
        with Mount(tool, port.url, cache, self._work, workload.variant) as mount:
            mark = port.mark()
            before = mount.usage()
            seconds, work = readers.run(
                workload.readers(mount.root), self._time_limit, user=workload.variant.user)
            after = mount.usage()
        # Counted when the mount is gone: what it still fetched ahead is on the bill too.
        traffic = port.traffic(mark)
        return {
            **figures(workload, seconds, work), **server_figures(traffic, work),
            **process_figures(after.cpu_seconds - before.cpu_seconds, after.memory_peak, work),
            "is_partial": work.is_partial}

    def _cache(self, workload: Workload, tool: Tool, filled: set[str]) -> Path:
        """The folder for a tool's cache: empty, or filled with what the workload reads if it is a warm one."""
        user = workload.variant.user
        cache = self._work / f"cache-{tool.name}" / "files"
        if tool.name in filled:
            return cache
        shutil.rmtree(cache.parent, ignore_errors=True)
        cache.mkdir(parents=True)
        cache.chmod(0o700)
        if user is not None:
            os.chown(cache.parent, user, -1)
            os.chown(cache, user, -1)
        if workload.is_warm:
            with Mount(tool, self._server.unlimited.url, cache, self._work, workload.variant) as mount:
                readers.run(workload.readers(mount.root), self._time_limit, user=user)
                _await_stillness(cache)
            filled.add(tool.name)
        return cache

    def _port(self, workload: Workload) -> Port:
        return self._server.limited if workload.port == "limited" else self._server.unlimited


def _await_stillness(folder: Path) -> None:
    """Waits until the files of a folder don't grow any more."""
    deadline = time.monotonic() + CACHE_PATIENCE_SECONDS
    size, since = -1, time.monotonic()
    while time.monotonic() < deadline and time.monotonic() - since < CACHE_SETTLE_SECONDS:
        now = sum(path.stat().st_blocks for path in folder.rglob("*") if path.is_file())
        if now != size:
            size, since = now, time.monotonic()
        time.sleep(0.1)

