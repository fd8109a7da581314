"""The compared file systems, each mounted for one run."""

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from . import processes
START_TIMEOUT_SECONDS = 30
# Short, because mounting may be part of the measured time.
MOUNT_POLL_SECONDS = 0.005
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Variant:
    """The options for mounting a file system."""

    # `True` for a disk cache that survives unmounting.
    is_cached: bool = False
    # The value of tractfs's --memory-limit.
    memory_limit: str | None = None
    # The value of tractfs's --metadata-limit.
    metadata_limit: str | None = None
    # The value of tractfs's --metadata-ttl.
    metadata_ttl: str | None = None
    # `True` for a cache on overlayfs, where the kernel doesn't support passthrough.
    is_stacked: bool = False


@dataclass
class Usage:
    """The resources used by the serving process since its start."""

    cpu_seconds: float
    memory: int
    memory_peak: int


class Tool:
    """A file system: its commands and its abilities."""

    name: str
    # The command that prints its version.
    version_command: list

    def command(self, url: str, bucket: str, mount_point: Path, cache: Path, variant: Variant) -> list:
        """Returns the command that serves the bucket at `url` on `mount_point` in the foreground."""
        raise NotImplementedError

    def can(self, variant: Variant) -> bool:
        """Returns `True` if the file system supports the options."""
        return variant == Variant(is_cached=variant.is_cached, is_stacked=variant.is_stacked)


class Tractfs(Tool):
    name = "tractfs"

    def __init__(self, program: Path):
        self.program = program
        self.version_command = [program, "--version"]
        self.help = _output([program, "mount", "--help"])

    def command(self, url: str, bucket: str, mount_point: Path, cache: Path, variant: Variant) -> list:
        options = ["--endpoint-url", url, "--addressing-style", "path", "--log-level", "warning"]
        if variant.is_cached:
            options += ["--cache-dir", cache]
        elif "--no-cache" in self.help:
            options.append("--no-cache")
        if variant.memory_limit:
            options += ["--memory-limit", variant.memory_limit]
        if variant.metadata_limit:
            options += ["--metadata-limit", variant.metadata_limit]
        if variant.metadata_ttl:
            options += ["--metadata-ttl", variant.metadata_ttl]
        return [self.program, "mount", "--foreground", *options, f"s3://{bucket}", mount_point]

    def can(self, variant: Variant) -> bool:
        needed = {"--cache-dir": variant.is_cached, "--metadata-limit": variant.metadata_limit is not None}
        return all(option in self.help for option, is_needed in needed.items() if is_needed)


class S3fs(Tool):
    name = "s3fs"
    version_command = ["s3fs", "--version"]

    def command(self, url: str, bucket: str, mount_point: Path, cache: Path, variant: Variant) -> list:
        # parallel_count also limits the ranges in flight of a read; enable_noobj_cache saves requests for absent names.
        # Without use_cache, s3fs still writes the bytes that it reads to temporary files.
        options = ["ro", f"url={url}", "use_path_request_style", "public_bucket=1", "parallel_count=64",
                   "multireq_max=64", "enable_noobj_cache", f"tmpdir={cache.parent}"]
        if variant.is_cached:
            options.append(f"use_cache={cache}")
        return ["s3fs", bucket, mount_point, "-f", "-o", ",".join(options)]


class Rclone(Tool):
    name = "rclone"
    version_command = ["rclone", "version"]

    def command(self, url: str, bucket: str, mount_point: Path, cache: Path, variant: Variant) -> list:
        # use-server-modtime saves a HEAD per file; one GET requests a chunk (1.60 has no parallel streams).
        options = ["--config", "/dev/null", "--read-only", "--use-server-modtime", "--no-checksum",
                   "--max-read-ahead", "1M", "--buffer-size", "64M", "--cache-dir", cache,
                   "--vfs-cache-mode", "full" if variant.is_cached else "off",
                   "--s3-provider", "Other", "--s3-endpoint", url, "--s3-env-auth", "--s3-force-path-style"]
        return ["rclone", "mount", f":s3:{bucket}", mount_point, *options]


class Mount:
    """A mounted file system. Use it in a `with`, which removes everything but the cache at its end."""

    def __init__(self, tool: Tool, url: str, bucket: str, cache: Path, work: Path, variant: Variant = Variant()):
        self._tool, self._url, self._bucket = tool, url, bucket
        self._cache, self._work, self._variant = cache, work, variant

    def __enter__(self) -> "Mount":
        self.root = Path(tempfile.mkdtemp(prefix=f"{self._tool.name}.", dir=self._work))
        self._log = open(self._work / f"{self._tool.name}.log", "w+b")
        command = self._tool.command(self._url, self._bucket, self.root, self._cache, self._variant)
        began = time.monotonic()
        self._process = processes.start(
            command, env=environment(), stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        try:
            self._await_mount()
        except BaseException:
            self.__exit__()
            raise
        self.seconds = time.monotonic() - began
        return self

    def __exit__(self, *_) -> None:
        if _is_mounted(self.root) and not _succeeds(["fusermount3", "-u", self.root]):
            _succeeds(["fusermount3", "-u", "-z", self.root])
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            processes.end(self._process)
        if _is_mounted(self.root):
            _succeeds(["umount", "-l", self.root])
        self._log.close()
        self.root.rmdir()

    def usage(self) -> Usage:
        """Returns CPU time, memory, and peak memory."""
        process = Path("/proc") / str(self._serving_process())
        # Parse after the program's name, which may have any content: fields 14 and 15 of proc(5) are user and system time.
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        return Usage(
            cpu_seconds=(int(fields[11]) + int(fields[12])) / CLOCK_TICKS,
            memory=int(status["VmRSS"].split()[0]) * 1024, memory_peak=int(status["VmHWM"].split()[0]) * 1024)

    def _serving_process(self) -> int:
        """Returns the serving process; for tractfs, that is a child of the process started."""
        process = self._process.pid
        children = (Path("/proc") / str(process) / "task" / str(process) / "children").read_text().split()
        return int(children[0]) if self._tool.name == "tractfs" and children else process

    def _await_mount(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not _is_mounted(self.root):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._log.seek(0)
                raise RuntimeError(f"{self._tool.name} did not mount: {self._log.read()[-1000:].decode()}")
            time.sleep(MOUNT_POLL_SECONDS)


def environment() -> dict[str, str]:
    """Returns the environment of the file systems: keys that the server doesn't check, without the user's AWS settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return inherited | {
        "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench-secret", "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true"}


def available(names: list[str], tractfs: Path) -> list[Tool]:
    """Returns the installed tools with these names; prints the names of the others."""
    tools: list[Tool] = []
    for name in names:
        if name == "tractfs":
            tools.append(Tractfs(tractfs))
        elif shutil.which(name):
            tools.append(S3fs() if name == "s3fs" else Rclone())
        else:
            print(f"bench: skipping {name}, which is not installed; run scripts/setup --bench")
    return tools


def _is_mounted(path: Path) -> bool:
    """Returns `True` if the kernel's table lists the mount; access to the mount itself could hang."""
    with open("/proc/self/mountinfo") as table:
        return any(line.split()[4] == str(path) for line in table)


@contextmanager
def overlay(folder: Path) -> Iterator[Path]:
    """Makes a folder on an overlayfs, whose files are in `folder`; needs root."""
    lower, upper, work, merged = (folder / name for name in ("lower", "upper", "work", "merged"))
    for path in (lower, upper, work, merged):
        path.mkdir(parents=True)
    layers = f"lowerdir={lower},upperdir={upper},workdir={work}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, merged], check=True)
    try:
        yield merged
    finally:
        _succeeds(["umount", merged]) or _succeeds(["umount", "-l", merged])


def _succeeds(command: list) -> bool:
    return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0


def _output(command: list) -> str:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=True).stdout
