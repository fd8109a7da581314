"""The wheel: the Python package in python/, and a portable program as the command."""

import base64
import csv
import hashlib
import io
import re
import tempfile
import time
import zipfile
from pathlib import Path

from distribution import portable, tree
from distribution.release import Release

TAG = "py3-none-manylinux_{0}_{1}_{{machine}}".format(*portable.GLIBC)
METADATA = """\
Metadata-Version: 2.1
Name: tractfs
Version: {version}
Summary: Mounts S3 buckets as read-only folders, for neuroimaging
License: Apache-2.0
Requires-Python: >=3.9
Classifier: Operating System :: POSIX :: Linux
Classifier: Typing :: Typed
Description-Content-Type: text/markdown

{description}"""


def build(release: Release, root: Path, folder: Path, is_quick: bool) -> Path:
    """Makes the wheel in a folder, and returns its path."""
    version = python_version(release.version)
    tag = TAG.format(machine=release.machine)
    path = folder / f"tractfs-{version}-{tag}.whl"
    information = f"tractfs-{version}.dist-info"
    with tempfile.TemporaryDirectory(prefix="tractfs-package.") as work:
        program = Path(work) / "tractfs"
        tree.strip(release.program, program)
        notices = Path(work) / "notices"
        notices.mkdir()
        portable.write_licenses(release, root, notices)
        files = {
            f"tractfs/{file.relative_to(root / 'python/tractfs')}": file.read_bytes()
            for file in sorted((root / "python/tractfs").rglob("*")) if file.name == "py.typed" or file.suffix == ".py"
        }
        # pip installs what is here beside python, as it is.
        files[f"tractfs-{version}.data/scripts/tractfs"] = program.read_bytes()
        for file in sorted(path for path in notices.rglob("*") if path.is_file()):
            files[f"{information}/licenses/{file.relative_to(notices)}"] = file.read_bytes()
        files[f"{information}/licenses/LICENSE"] = (root / "LICENSE").read_bytes()
    files[f"{information}/METADATA"] = METADATA.format(
        version=version, description=(root / "python/README.md").read_text()).encode()
    files[f"{information}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: scripts/package\nRoot-Is-Purelib: false\nTag: {tag}\n").encode()
    files[f"{information}/RECORD"] = record(files, f"{information}/RECORD")
    write(path, files, release.time, compression=1 if is_quick else 9)
    return path


def python_version(version: str) -> str:
    """Returns the version in the form of PEP 440: 0.1.0~12.gabc becomes 0.1.0.dev12+gabc."""
    return re.sub(r"~(\d+)\.", r".dev\1+", version)


def record(files: dict[str, bytes], own: str) -> bytes:
    """Returns the list of all files with their checksums."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        writer.writerow([name, f"sha256={digest}", len(content)])
    writer.writerow([own, "", ""])
    return text.getvalue().encode()


def write(path: Path, files: dict[str, bytes], seconds: int, compression: int) -> None:
    """Writes an archive reproducibly."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=compression) as archive:
        for name, content in files.items():
            # The format begins with 1980.
            entry = zipfile.ZipInfo(name, max(time.gmtime(seconds)[:6], (1980, 1, 1, 0, 0, 0)))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if ".data/scripts/" in name else 0o100644) << 16
            archive.writestr(entry, content)
