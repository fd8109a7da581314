"""The Debian package."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from distribution import licenses, tree
from distribution.release import Release, output

# In addition to the libraries, which dpkg-shlibdeps finds: fusermount3, and the certificates for TLS.
PROGRAMS_NEEDED = ["ca-certificates", "fuse3"]


def build(release: Release, root: Path, folder: Path, is_quick: bool) -> Path:
    """Makes the package in a folder, and returns its path."""
    # The number after the dash is Debian's revision of this version.
    version = f"{release.version}-1"
    package = folder / f"tractfs_{version}_{release.architecture}.deb"
    with tempfile.TemporaryDirectory(prefix="tractfs-package.") as work:
        staging = Path(work) / "tractfs"
        fill(release, root, staging, version)
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-Znone" if is_quick else "-Zxz", "--build", staging, package], check=True, stdout=subprocess.DEVNULL,
            env=os.environ | {"SOURCE_DATE_EPOCH": str(release.time)})
    return package


def fill(release: Release, root: Path, staging: Path, version: str) -> None:
    source = root / "packaging/debian"
    tree.make(release, root, staging / "usr", zsh_folder="vendor-completions")
    documentation = staging / "usr/share/doc/tractfs"
    (documentation / "copyright").write_text(licenses.copyright_file(source / "copyright", release.program))
    (documentation / "changelog.Debian").write_text(changelog(release, version))
    tree.compress(documentation / "changelog.Debian")
    copy(source / "lintian-overrides", staging / "usr/share/lintian/overrides/tractfs")
    copy(root / "packaging/logrotate/tractfs", staging / "etc/logrotate.d/tractfs")
    tree.settle(staging)

    control = staging / "DEBIAN"
    control.mkdir()
    files = sorted(path for path in staging.rglob("*") if path.is_file() and not path.is_symlink())
    (control / "md5sums").write_text("".join(
        f"{hashlib.md5(file.read_bytes()).hexdigest()}  {file.relative_to(staging)}\n" for file in files
        if not file.relative_to(staging).parts[0] == "etc"))
    (control / "conffiles").write_text("/etc/logrotate.d/tractfs\n")
    (control / "control").write_text((source / "control").read_text().format(
        version=version, architecture=release.architecture, maintainer=release.maintainer,
        depends=", ".join(libraries(staging / "usr/bin/tractfs", release) + PROGRAMS_NEEDED),
        size=sum(-(-file.stat().st_size // 1024) for file in files)))
    for script in ("postinst", "postrm"):
        copy(source / script, control / script)
        (control / script).chmod(0o755)
    tree.settle(control)


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)


def libraries(program: Path, release: Release) -> list[str]:
    """Returns the packages of the libraries that a program is linked with, and their minimum versions."""
    with tempfile.TemporaryDirectory(prefix="tractfs-package.") as work:
        control = Path(work) / "debian/control"
        control.parent.mkdir()
        control.write_text("Source: tractfs\n\nPackage: tractfs\nArchitecture: any\n")
        # No package provides Swift's libraries; only a program for tests links them dynamically.
        missing = [] if release.is_static else ["--ignore-missing-info"]
        found = output(
            "dpkg-shlibdeps", "-O", "--warnings=0", *missing, program, cwd=work,
            stderr=None if release.is_static else subprocess.DEVNULL)
    match = re.search(r"^shlibs:Depends=(.+)$", found, re.MULTILINE)
    if match is None:
        raise ValueError(f"dpkg-shlibdeps found no libraries of {program}")
    return match[1].split(", ")


def changelog(release: Release, version: str) -> str:
    return (f"tractfs ({version}) unstable; urgency=medium\n\n  * Built by scripts/package.\n\n"
            f" -- {release.maintainer}  {release.date}\n")
