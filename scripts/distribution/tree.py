"""The installed files, as a tree below /usr."""

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

from distribution import completions, manual
from distribution.release import Release, output

# Pages for developers, which are not installed.
INTERNAL_PAGES = {"ARCHITECTURE.md", "CONTRIBUTING.md"}
EXAMPLES = [
    "systemd/mnt-hcp.mount", "systemd/mnt-hcp.automount", "systemd/tractfs.conf.example", "module/tractfs.lua",
]


def make(release: Release, root: Path, usr: Path, zsh_folder: str) -> None:
    """Writes all files into a folder that represents /usr."""
    for folder in ("bin", "sbin", "lib/systemd/system", "share/doc/tractfs/examples"):
        (usr / folder).mkdir(parents=True)
    strip(release.program, usr / "bin/tractfs")
    # A link to the program, which recognizes mount(8) by this name.
    (usr / "sbin/mount.tractfs").symlink_to("../bin/tractfs")
    shutil.copy(root / "packaging/systemd/tractfs@.service", usr / "lib/systemd/system")

    share = usr / "share"
    declarations = json.loads(output(release.program, "--experimental-dump-help"))
    for page in manual.write(declarations, root / "packaging/manual.mdoc", share / "man", release.time):
        compress(page)
    completions.write(release.program, share, zsh_folder)
    documentation(root, share / "doc/tractfs")


def strip(program: Path, target: Path) -> None:
    """Copies a program without the symbols that it doesn't need to run."""
    subprocess.run(
        ["strip", "--strip-unneeded", "--remove-section=.comment", "--remove-section=.note", "-o", target, program], check=True)
    blank(target, ".swift_modhash")


def blank(program: Path, section: str) -> None:
    """Overwrites a section with zeros: here, hashes of the compiler for its next run, which depend on the paths of objects."""
    sections = output("readelf", "--section-headers", "--wide", program)
    if match := re.search(rf" {re.escape(section)} +PROGBITS +[0-9a-f]+ ([0-9a-f]+) ([0-9a-f]+) ", sections):
        offset, byte_count = (int(number, 16) for number in match.groups())
        with open(program, "r+b") as file:
            file.seek(offset)
            file.write(bytes(byte_count))


def documentation(root: Path, folder: Path) -> None:
    pages = [page for page in root.glob("docs/*.md") if page.name not in INTERNAL_PAGES]
    for page in [*pages, *root.glob("docs/*.svg")]:
        shutil.copy(page, folder)
    for name in EXAMPLES:
        shutil.copy(root / "packaging" / name, folder / "examples")


def compress(path: Path) -> None:
    """Compresses a file, without its name and time."""
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()


def settle(folder: Path) -> None:
    """Sets the permissions of files and folders, independent of umask and checkout."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
