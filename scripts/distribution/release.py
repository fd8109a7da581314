"""Which program is packaged: its version, its time, its architecture, what it was linked with."""

import os
import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


def output(*command: object, **options) -> str:
    """What a program prints; it must succeed."""
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def git(root: Path, *arguments: str) -> str | None:
    """What git says, where there is git and it knows."""
    try:
        done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@dataclass
class Release:
    program: Path
    version: str
    # Seconds since 1970: what is made of the same commit is the same, whenever that is.
    time: int
    # Debian's name of it, and the kernel's.
    architecture: str
    machine: str
    maintainer: str

    @staticmethod
    def of(program: Path, root: Path) -> "Release":
        base = output(program, "--version").strip()
        if not re.fullmatch(r"\d+(\.\d+)+", base):
            raise ValueError(f"{program} is no tractfs: it says that its version is {base[:40]!r}")
        time = os.environ.get("SOURCE_DATE_EPOCH") or git(root, "log", "-1", "--format=%ct") or "0"
        if not time.isdecimal():
            raise ValueError(f"SOURCE_DATE_EPOCH is {time!r}; set it to seconds since 1970, or unset it")
        return Release(
            program, version(base, root), int(time), output("dpkg", "--print-architecture").strip(), os.uname().machine,
            maintainer(root))

    @cached_property
    def needed_libraries(self) -> list[str]:
        return re.findall(r"\(NEEDED\).*\[(.+)\]", output("readelf", "--dynamic", "--wide", self.program))

    @property
    def is_static(self) -> bool:
        """Whether Swift's libraries are within it."""
        return not any(name.startswith("libswift") for name in self.needed_libraries)


def version(base: str, root: Path) -> str:
    """The program's version where that is tagged here; otherwise one that sorts before it (there is no such tag yet) or
    behind it, with the commit."""
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
    """Who packages it: by Debian's variables, otherwise the author of what is packaged."""
    name, address = os.environ.get("DEBFULLNAME"), os.environ.get("DEBEMAIL")
    if name and address:
        return f"{name} <{address}>"
    return git(root, "log", "-1", "--format=%an <%ae>") or "tractfs developers <tractfs@example.org>"
