"""The tarball, for systems without dpkg."""

import gzip
import platform
import shutil
import tarfile
import tempfile
from pathlib import Path

from distribution import licenses, tree
from distribution.release import Release


def build(release: Release, root: Path, folder: Path, is_quick: bool) -> Path:
    """Makes the tarball in a folder, and returns its path."""
    name = f"tractfs-{release.version}-linux-{release.machine}"
    path = folder / f"{name}.tar.gz"
    with tempfile.TemporaryDirectory(prefix="tractfs-package.") as work:
        staging = Path(work) / name
        tree.make(release, root, staging, zsh_folder="site-functions")
        shutil.copy(root / "packaging/logrotate/tractfs", staging / "share/doc/tractfs/examples/logrotate")
        (staging / "share/doc/tractfs/copyright").write_text(
            licenses.copyright_file(root / "packaging/debian/copyright", release.program))
        for file in ("LICENSE", "README.md"):
            shutil.copy(root / file, staging)
        (staging / "INSTALL").write_text((root / "packaging/INSTALL").read_text().format(
            system=platform.freedesktop_os_release()["PRETTY_NAME"],
            libraries="\n".join(f"  {library}" for library in release.needed_libraries)))
        tree.settle(staging)
        pack(staging, path, release.time, compression=1 if is_quick else 9)
    return path


def pack(folder: Path, path: Path, time: int, compression: int) -> None:
    """Packs a folder reproducibly."""
    def settled(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = time
        return entry

    with open(path, "wb") as file, gzip.GzipFile("", "wb", compression, file, mtime=time) as zipped:
        with tarfile.open(fileobj=zipped, mode="w") as archive:
            for each in [folder, *sorted(folder.rglob("*"))]:
                archive.add(each, str(each.relative_to(folder.parent)), recursive=False, filter=settled)
