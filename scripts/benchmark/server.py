"""A fast loopback S3 server: nginx over files, with listings in Lua.

It answers GET (ranges, If-Match), HEAD and both ListObjects on path style; it checks no signature. A bucket without files
has a listing and answers HEAD from it.
"""

import getpass
import os
import shutil
import socket
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable, Protocol

from . import processes
from .objects import MODIFIED

SCRIPTS = Path(__file__).parent
MODULES = Path("/usr/lib/nginx/modules")
START_TIMEOUT_SECONDS = 10
# The log is flushed every 100 ms (nginx.conf).
LOG_SETTLE_SECONDS = 0.25
QUIET_TIMEOUT_SECONDS = 10
# The shares of requests that fail, stall and are slow on the port with faults (faults.conf).
FAILING_SHARE, STALLING_SHARE, DRIPPING_SHARE = 0.10, 0.05, 0.05


class Bucket(Protocol):
    """A bucket of the server: objects.Objects, trees.Tree."""

    name: str
    # The folder of its list, written by listings.write.
    listing_folder: Path


@dataclass
class Traffic:
    """The requests to a port in a period."""

    requests: int = 0
    gets: int = 0
    heads: int = 0
    listings: int = 0
    bytes: int = 0


class Port:
    """One port of the server, and the log of its requests (nginx.conf has the format)."""

    def __init__(self, number: int, log: Path):
        self.number = number
        self.url = f"http://127.0.0.1:{number}"
        self.log = log

    def mark(self) -> int:
        """Returns the offset in the log for `traffic(since)`."""
        time.sleep(LOG_SETTLE_SECONDS)
        return self.log.stat().st_size

    def settle(self) -> None:
        """Waits until there are no requests for a while, or for a timeout."""
        deadline = time.monotonic() + QUIET_TIMEOUT_SECONDS
        last = self.mark()
        while time.monotonic() < deadline and (now := self.mark()) != last:
            last = now

    def traffic(self, since: int) -> Traffic:
        """Returns the requests since a mark. Only completed requests count."""
        time.sleep(LOG_SETTLE_SECONDS)
        traffic = Traffic()
        with open(self.log) as log:
            log.seek(since)
            for line in log:
                method, uri, _, _, _, byte_count = line.rstrip("\n").split("\t")
                traffic.requests += 1
                traffic.bytes += int(byte_count)
                if "/" not in uri.strip("/"):
                    traffic.listings += 1
                elif method == "GET":
                    traffic.gets += 1
                elif method == "HEAD":
                    traffic.heads += 1
        return traffic


class Server:
    """nginx with three ports: `unlimited`, `limited`, which imitates S3 on EC2 (nginx.conf), and `faulty`, which adds faults
    (faults.conf). Use it in a `with`."""

    def __init__(self, root: Path, buckets: Iterable[Bucket]):
        """Serves the files of `root/BUCKET` and the lists of the buckets."""
        self._root, self._buckets = root, list(buckets)

    def __enter__(self) -> "Server":
        self._state = Path(tempfile.mkdtemp(prefix="tractfs-bench-nginx."))
        self.unlimited = Port(free_port(), self._state / "unlimited.log")
        self.limited = Port(free_port(), self._state / "limited.log")
        self.faulty = Port(free_port(), self._state / "faulty.log")
        self._process = None
        try:
            self._configure()
            self._process = processes.start(
                [nginx(), "-p", self._state, "-c", self._state / "nginx.conf", "-e", self._state / "error.log"])
            self._await_answer()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        if self._process:
            processes.end(self._process)
        shutil.rmtree(self._state, ignore_errors=True)

    def _configure(self) -> None:
        names = {
            "modules": MODULES, "scripts": SCRIPTS, "state": self._state, "root": self._root.resolve(),
            "unlimited": self.unlimited.number, "limited": self.limited.number, "modified": MODIFIED,
            "faulty": self.faulty.number, "failing": FAILING_SHARE, "stalling": STALLING_SHARE,
            "dripping": DRIPPING_SHARE,
            "load": " ".join(
                f'require("listing").load("{bucket.name}", "{bucket.listing_folder.resolve()}");'
                for bucket in self._buckets),
            # If root starts nginx, its workers run as `nobody`, who can't read root's temporary folders.
            "user": f"user {getpass.getuser()};" if os.geteuid() == 0 else "",
        }
        for file in ("nginx.conf", "bucket.conf", "faults.conf"):
            text = (SCRIPTS / file).read_text()
            for name, value in names.items():
                text = text.replace(f"@{name}@", str(value))
            (self._state / file).write_text(text)

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.limited.url}/{self._buckets[0].name}?max-keys=1", timeout=1).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        log = self._state / "error.log"
        raise RuntimeError(f"nginx did not start: {log.read_text() if log.exists() else ''}")


def nginx() -> str:
    """Returns the nginx program, which Debian puts outside of a user's PATH."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not program or not (MODULES / "ngx_http_lua_module.so").exists():
        raise SystemExit("nginx or its Lua module is missing; run scripts/setup --bench")
    return program


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
