"""The RPM, for Red Hat, Fedora, Amazon Linux and SUSE: a portable program in /usr."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from distribution import portable, tree
from distribution.release import Release


def build(release: Release, root: Path, folder: Path, is_quick: bool) -> Path:
    """Makes the package in a folder, and returns its path."""
    with tempfile.TemporaryDirectory(prefix="tractfs-package.") as work:
        staging = Path(work) / "root"
        tree.make(release, root, staging / "usr", zsh_folder="site-functions")
        portable.write_licenses(release, root, staging / "usr/share/doc/tractfs")
        shutil.copy(root / "LICENSE", staging / "usr/share/doc/tractfs")
        (staging / "etc/logrotate.d").mkdir(parents=True)
        shutil.copy(root / "packaging/logrotate/tractfs", staging / "etc/logrotate.d/tractfs")
        tree.settle(staging)
        for path in staging.rglob("*"):
            os.utime(path, (release.time, release.time), follow_symlinks=False)

        day, number, month, year = release.date.replace(",", "").split()[:4]
        specification = Path(work) / "tractfs.spec"
        specification.write_text((root / "packaging/rpm/tractfs.spec").read_text().format(
            version=release.version, machine=release.machine, maintainer=release.maintainer, files="\n".join(listed(staging)),
            date=f"{day} {month} {number} {year}"))
        subprocess.run(
            ["rpmbuild", "-bb", "--quiet", "--buildroot", staging, "--define", f"_topdir {work}", "--define", f"_rpmdir {work}",
             "--define", f"_binary_payload {'w0' if is_quick else 'w9'}.gzdio", "--define", "_buildhost localhost",
             "--target", f"{release.machine}-linux", "--noclean", specification],
            check=True, env=os.environ | {"SOURCE_DATE_EPOCH": str(release.time)})
        made = next(Path(work).glob("*/tractfs-*.rpm"))
        return Path(shutil.copy(made, folder / made.name))


def listed(staging: Path) -> list[str]:
    """Returns the files of the package for its specification, and the folder that only this package has."""
    files = [path for path in sorted(staging.rglob("*")) if not path.is_dir() or path.is_symlink()]
    documentation = "/usr/share/doc/tractfs"
    lines = []
    for path in files:
        name = f"/{path.relative_to(staging)}"
        if not name.startswith((documentation, "/etc/")):
            lines.append(name)
    return [*lines, documentation]
