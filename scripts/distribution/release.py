"""The program to package: its build, version, time, architecture and libraries."""

import os
import re
import subprocess
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import format_datetime
from functools import cached_property
from pathlib import Path


def output(*command: object, **options) -> str:
    """Returns the output of a program, which must succeed."""
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def git(root: Path, *arguments: str) -> str | None:
    """Returns the output of git, or `None` if git is missing or fails."""
    try:
        done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@dataclass
class Release:
    program: Path
    # The version that the program prints, and with the commit, unless it is that of a tag.
    base_version: str
    version: str
    # Seconds since 1970. It is derived from the commit, so that packages of a commit are reproducible.
    time: int
    # The names of the architecture by Debian and by the kernel.
    architecture: str
    machine: str
    maintainer: str
    # The program of the build with its objects, if `program` was linked from them elsewhere.
    objects: Path | None = None
    # The version of the libcurl that was compiled for `program`, if there is one.
    curl_version: str | None = None

    @staticmethod
    def of(program: Path, root: Path) -> "Release":
        base = output(program, "--version").strip()
        if not re.fullmatch(r"\d+(\.\d+)+", base):
            raise ValueError(f"{program} is not tractfs: it prints the version {base[:40]!r}")
        time = os.environ.get("SOURCE_DATE_EPOCH") or git(root, "log", "-1", "--format=%ct") or "0"
        if not time.isdecimal():
            raise ValueError(f"invalid SOURCE_DATE_EPOCH {time!r}; set it to seconds since 1970, or unset it")
        return Release(
            program, base, version(base, root), int(time), output("dpkg", "--print-architecture").strip(), os.uname().machine,
            maintainer(root))

    @property
    def built_program(self) -> Path:
        """The program in the folder of its build."""
        return self.objects or self.program

    @cached_property
    def needed_libraries(self) -> list[str]:
        return re.findall(r"\(NEEDED\).*\[(.+)\]", output("readelf", "--dynamic", "--wide", self.program))

    @property
    def date(self) -> str:
        """The time by RFC 2822, such as "Tue, 01 Dec 2026 01:30:21 +0000"."""
        return format_datetime(datetime.fromtimestamp(self.time, timezone.utc))

    @property
    def is_static(self) -> bool:
        """`True` if Swift's libraries are linked statically."""
        return not any(name.startswith("libswift") for name in self.needed_libraries)


def built(root: Path, options: list[str]) -> Path:
    """Makes a release build, and returns the path of the program."""
    build = ["swift", "build", "-c", "release", *options, "--package-path", root]
    subprocess.run([*build, "--product", "tractfs"], check=True)
    return Path(output(*build, "--show-bin-path").strip()) / "tractfs"


def version(base: str, root: Path) -> str:
    """Returns the program's version at its tag; otherwise, with the commit, a version that sorts before it (without a tag)
    or after it."""
    commit = git(root, "rev-parse", "--short", "HEAD")
    if commit is None:
        return base
    changed = ".changed" if git(root, "status", "--porcelain", "--untracked-files=no") else ""
    described = git(root, "describe", "--tags", "--long", "--match", f"v{base}")
    if described is None:
        return f"{base}~{git(root, 'rev-list', '--count', 'HEAD')}.g{commit}{changed}"
    distance = described.split("-")[-2]
    return base if distance == "0" and not changed else f"{base}+{distance}.g{commit}{changed}"


def maintainer(root: Path) -> str:
    """Returns the packager: from Debian's variables, otherwise the author of the commit."""
    name, address = os.environ.get("DEBFULLNAME"), os.environ.get("DEBEMAIL")
    if name and address:
        return f"{name} <{address}>"
    return git(root, "log", "-1", "--format=%an <%ae>") or "tractfs developers <tractfs@example.org>"
