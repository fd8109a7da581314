#!/usr/bin/env python3
"""The cases of the acceptance suite: each prints, of the tree in the current folder, what must be the same in every tree.

    cases.py CASE SCRATCH      SCRATCH is an empty folder to write to

A case is a function; its name with spaces is the case's name. `@case(needs=…)` names programs and Python modules.
"""

import errno
import fcntl
import glob
import hashlib
import importlib.util
import mmap
import os
import random
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SUBJECT = "100307"
S = Path("HCP_1200") / SUBJECT
RUN = "rfMRI_REST1_LR"
RESULTS = S / "MNINonLinear/Results" / RUN
MESHES = S / "MNINonLinear/fsaverage_LR32k"
T1W = S / "T1w"
CASES = {}
# How many bytes are read of a file that is read whole in a case about many files.
CHUNK = 1 << 20


def case(*needs):
    """Registers a function as a case that needs these programs or, as `python:NAME`, modules."""

    def register(function):
        CASES[function.__name__.replace("_", " ")] = (function, needs)
        return function

    return register


def missing_needs(name):
    def is_missing(need):
        kind, _, module = need.rpartition(":")
        return importlib.util.find_spec(module) is None if kind else shutil.which(need) is None

    return [need for need in CASES[name][1] if is_missing(need)]


def run(*command):
    """Runs a program, whose output is the case's."""
    sys.stdout.flush()
    subprocess.run([str(word) for word in command], check=False, stderr=subprocess.STDOUT)


def shell(text):
    run("bash", "-c", f"set -o pipefail; {text}")


def files_below(folder):
    return sorted(os.path.join(root, name) for root, _, names in os.walk(folder) for name in names)


def digest(content):
    return hashlib.sha256(content).hexdigest()[:32]


def digest_of_file(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


@case("find", "ls")
def names_and_sizes(_):
    shell("find . -type f -printf '%P\\t%s\\n' | sort; find . -type d -printf '%P/\\n' | sort")
    shell("find . -type d -name '*.ica' | sort; find . -type f -empty | sort; ls -aU . | sort; ls -R . | cksum")


@case()
def crawls_by_python(_):
    def scan(folder):
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                yield from scan(entry.path)
            else:
                yield entry.is_file(), entry.stat().st_size

    entries = list(scan("."))
    print(len(entries), sum(size for _, size in entries), all(is_file for is_file, _ in entries))
    for pattern in ("**/T1w_acpc_dc_restore*.nii.gz", "**/*aparc+aseg*", "*/*/[MTR]*/*.nii.gz", f"**/{glob.escape('[BT-diff]')}*"):
        print(pattern, *sorted(glob.glob(pattern, recursive=True)), sep="\n")
    print(*sorted(map(str, Path(".").rglob("*.dlabel.nii"))), sep="\n")


@case()
def names_that_are_not_there(_):
    names = ("nope", "T1w/nope/nope", "T1", "T1w/Diff", "T1w/Diffusion.bed", "T1w/T1w_acpc_dc_restore", "T1w/T1w_acpc_dc_restore.nii",
             "T1w/T1w_acpc_dc_restore.nii.gz/", "T1w/T1w_acpc_dc_restore.nii.gz/x", "t1w", "T1w/aparc aseg.nii.gz",
             "T1w/aparc%2Baseg.nii.gz", "T1w/.git", "a" * 255, "a" * 256, "T1w/Diffusion", "T1w/Diffusion/", "T1w/Diffusion_7T",
             "T1w/./../T1w/aparc+aseg.nii.gz", ".xdlm", f"T1w/{SUBJECT}/mri/orig", f"T1w/{SUBJECT}/mri/orig.mgz")

    def attempt(function, path):
        try:
            return function(path)
        except OSError as error:
            return errno.errorcode[error.errno]

    for name in names:
        path = f"{S}/{name}"
        print(name[:60], attempt(lambda p: stat.S_IFMT(os.stat(p).st_mode), path), attempt(lambda p: sorted(os.listdir(p)), path),
              attempt(lambda p: os.close(os.open(p, os.O_RDONLY)), path), os.access(path, os.R_OK), os.path.islink(path))


@case()
def the_bytes_of_all_files(_):
    files = files_below(".")
    with ThreadPoolExecutor(4) as pool:
        for path, found in zip(files, pool.map(digest_of_file, files)):
            print(found, path)


@case("tar")
def archives_by_tar(_):
    options = "--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=a=r"
    shell(f"tar {options} -cf - {T1W} | sha256sum; tar --sort=name -cf - {S}/release-notes | tar -tf -")


@case("cp", "diff")
def copies_that_can_be_changed_and_removed(scratch):
    shell(f"cp -a --no-preserve=ownership,timestamps {RESULTS} {scratch}/c && diff -r {RESULTS} {scratch}/c && echo the same")
    shell(f"touch {scratch}/c/new && rm -r {scratch}/c && echo removed; cp -r {S}/release-notes {scratch}/r && rm -r {scratch}/r && echo removed")
    for path in files_below(RESULTS)[:20]:
        shutil.copy2(path, f"{scratch}/copy")
        print(digest_of_file(f"{scratch}/copy"))


@case("rsync")
def copies_by_rsync(scratch):
    shell(f"rsync -r {T1W}/Diffusion/ {scratch}/d && rsync -rnc --itemize-changes {T1W}/Diffusion/ {scratch}/d && ls {scratch}/d")


@case("gzip")
def archives_by_gzip(_):
    for path in sorted(glob.glob(f"{T1W}/*.nii.gz")):
        shell(f"gzip -tv {path}; gzip -dc {path} | cksum; tail -c 8 {path} | cksum; file -b {path}")


@case("python:nibabel")
def volumes_by_nibabel(_):
    import nibabel
    import numpy

    paths = [*glob.glob(f"{T1W}/*.nii.gz"), *glob.glob(f"{RESULTS}/*.nii.gz"), *glob.glob(f"{T1W}/Diffusion/*.nii.gz"),
             *glob.glob(f"{T1W}/*/mri/*.mgz")]
    for path in sorted(paths):
        image = nibabel.load(path)
        print(path, image.shape, image.get_data_dtype(), digest(image.header.binaryblock))
        print(digest(numpy.ascontiguousarray(image.get_fdata(dtype=numpy.float32)).tobytes()))
        if image.ndim == 4:
            print([float(image.dataobj[..., index].sum()) for index in (0, image.shape[3] // 2, image.shape[3] - 1)])


@case("python:nibabel")
def grayordinates_by_nibabel(_):
    import nibabel
    import numpy

    for path in sorted(glob.glob(f"{RESULTS}/*.dtseries.nii") + glob.glob(f"{MESHES}/*.nii")):
        image = nibabel.load(path)
        print(path, image.shape, type(image.header.get_axis(0)).__name__, len(image.header.get_axis(1)))
        print(digest(numpy.ascontiguousarray(numpy.asanyarray(image.dataobj)).tobytes()))
        print(float(image.dataobj[0].sum()), float(image.dataobj[:, 1:4].sum()), float(nibabel.load(path, mmap=False).dataobj[-1].sum()))


@case("python:nibabel")
def surfaces_by_nibabel(_):
    import nibabel
    import numpy

    def show(path, arrays):
        print(path, *(digest(numpy.ascontiguousarray(array).tobytes()) for array in arrays))

    for path in sorted(glob.glob(f"{S}/MNINonLinear/*/*.gii")):
        show(path, (array.data for array in nibabel.load(path).darrays))
    for path in sorted(glob.glob(f"{T1W}/*/surf/*h.white") + glob.glob(f"{T1W}/*/surf/*h.pial")):
        show(path, nibabel.freesurfer.read_geometry(path))
    for path in sorted(glob.glob(f"{T1W}/*/surf/*h.thickness") + glob.glob(f"{T1W}/*/surf/*h.curv")):
        show(path, [nibabel.freesurfer.read_morph_data(path)])


@case("wb_command")
def files_by_Connectome_Workbench(scratch):
    series = RESULTS / f"{RUN}_Atlas.dtseries.nii"
    mesh = MESHES / f"{SUBJECT}.L.midthickness.32k_fs_LR.surf.gii"
    for path in (series, mesh, MESHES / f"{SUBJECT}.thickness.32k_fs_LR.dscalar.nii", T1W / "aparc+aseg.nii.gz"):
        shell(f"wb_command -file-information {path} | grep -v 'Timestamp\\|Date'")
    run("wb_command", "-cifti-stats", series, "-reduce", "MEAN")
    run("wb_command", "-cifti-separate", series, "COLUMN", "-metric", "CORTEX_LEFT", f"{scratch}/m.func.gii")
    run("wb_command", "-metric-stats", f"{scratch}/m.func.gii", "-reduce", "SUM")
    shell(f"wb_command -cifti-convert -to-text {series} {scratch}/t.txt && cksum < {scratch}/t.txt")


@case("mrinfo", "mrstats")
def volumes_by_MRtrix(_):
    for path in (T1W / "T1w_acpc_dc_restore.nii.gz", T1W / "Diffusion/data.nii.gz", RESULTS / f"{RUN}.nii.gz", T1W / SUBJECT / "mri/T1.mgz"):
        shell(f"mrinfo -quiet {path}; mrstats -quiet -nthreads 2 {path} | cksum")


@case("nifti_tool", "gifti_tool")
def files_by_nifti_tool_and_gifti_tool(_):
    shell(f"nifti_tool -disp_hdr -infiles {T1W}/T1w_acpc_dc_restore.nii.gz; nifti_tool -disp_hdr -infiles {T1W}/T1w_acpc_dc_restore")
    shell(f"nifti_tool -disp_ts 1 1 1 -infiles {RESULTS}/{RUN}_SBRef.nii.gz")
    shell(f"gifti_tool -infile {MESHES}/{SUBJECT}.L.midthickness.32k_fs_LR.surf.gii -show_gifti | cksum")


@case("python:bids", "python:nilearn")
def folders_by_pybids_and_nilearn(_):
    from bids.layout import BIDSLayout
    from nilearn import image

    print(len(BIDSLayout(str(T1W), validate=False).get(return_type="file")))
    mean = image.mean_img(str(T1W / "Diffusion/data.nii.gz"), copy_header=True)
    print(mean.shape, float(mean.get_fdata().sum()))


@case()
def reads_at_random_places(_):
    source = random.Random(7)
    files = files_below(S)
    largest = sorted(files, key=os.path.getsize)[-12:]
    for path in largest + source.sample(files, 60):
        byte_count = os.path.getsize(path)
        descriptor = os.open(path, os.O_RDONLY)
        sum_ = hashlib.sha256()
        for _ in range(40):
            offset, wanted = source.randrange(byte_count + 1), source.choice((0, 1, 8, 352, 4096, 65_536, 131_072, CHUNK))
            content = os.pread(descriptor, wanted, offset)
            assert len(content) == min(wanted, byte_count - offset), (path, offset, wanted, len(content))
            sum_.update(content)
        assert all(os.pread(descriptor, 100, byte_count + beyond) == b"" for beyond in (0, 1, 1 << 40))
        for offset in range(byte_count - 70_001, max(0, byte_count - 4 * CHUNK), -70_001):
            sum_.update(os.pread(descriptor, 70_001, offset))
        if byte_count:
            for options in ({"access": mmap.ACCESS_READ}, {"flags": mmap.MAP_PRIVATE, "prot": mmap.PROT_READ | mmap.PROT_WRITE},
                            {"flags": mmap.MAP_SHARED, "prot": mmap.PROT_READ}):
                with mmap.mmap(descriptor, 0, **options) as mapping:
                    sum_.update(mapping[:100] + mapping[byte_count // 2:byte_count // 2 + 5000] + mapping[-100:])
        assert os.lseek(descriptor, 0, os.SEEK_END) == byte_count == os.fstat(descriptor).st_size
        os.close(descriptor)
        print(sum_.hexdigest(), path)


@case("sha256sum", "tac")
def eight_readers_at_once(_):
    path = max(files_below(S), key=os.path.getsize)

    def read(index):
        if index % 2:
            subprocess.run(["tac", "--separator=X", path], stdout=subprocess.DEVNULL, check=True)
        return digest_of_file(path)

    with ThreadPoolExecutor(8) as pool:
        print(*pool.map(read, range(8)), sep="\n")


@case()
def calls_that_programs_make(_):
    path = T1W / "T1w_acpc_dc_restore.nii.gz"
    descriptor = os.open(path, os.O_RDONLY)
    for lock in (fcntl.flock, fcntl.lockf):
        lock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        lock(descriptor, fcntl.LOCK_UN)
        print(lock.__name__)
    try:
        os.getxattr(path, "security.capability")
    except OSError as error:
        print(error.errno in (errno.ENODATA, errno.ENOTSUP, errno.ENOSYS))
    file, folder, system = os.fstat(descriptor), os.stat(T1W), os.statvfs(path)
    print(stat.S_ISREG(file.st_mode), stat.S_ISDIR(folder.st_mode), file.st_blocks > 0, file.st_blksize >= 4096, file.st_nlink >= 1)
    print(bool(file.st_mode & 0o400), folder.st_mode & 0o500 == 0o500, file.st_mtime > 0, system.f_bsize > 0, system.f_namemax >= 255)
    numbers = [os.stat(name).st_ino for name in files_below(T1W)]
    print(len(numbers), len(set(numbers)))
    for advice in (os.POSIX_FADV_SEQUENTIAL, os.POSIX_FADV_DONTNEED):
        os.posix_fadvise(descriptor, 0, 0, advice)
    _, end = os.pipe()
    print(os.sendfile(end, descriptor, 0, 4096), os.lseek(descriptor, 0, os.SEEK_HOLE) == file.st_size, os.lseek(descriptor, 0, os.SEEK_DATA))


def refused_changes(tree):
    """Returns the changes that the tree takes, or refuses with a message that doesn't say why; empty where all is well."""
    file = tree / T1W / "T1w_acpc_dc_restore.nii.gz"
    before = digest_of_file(file)
    # The first one does no harm where it is taken.
    commands = (f"touch {tree / S}/new", f"mkdir {tree / S}/folder", f"rm -f {file}", f"mv {file} {file}.x", f"truncate -s 0 {file}",
                f"ln -s x {tree / S}/link", f"echo x >> {file}", f"chmod 600 {file}", f"rmdir {tree / T1W}/Diffusion_7T",
                f"cp /etc/hostname {tree / S}/")
    reasons = ("Read-only file system", "Permission denied", "not permitted")
    for command in commands:
        result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
        if result.returncode == 0:
            return f"{command} was taken"
        if not any(reason in result.stderr for reason in reasons):
            return f"{command}: {result.stderr.strip()}"
    # Pipelines make the folders of their inputs.
    for command, expected in ((f"mkdir -p {tree / T1W}", 0), (f"mkdir {tree / T1W} 2>&1 | grep -q 'File exists'", 0)):
        if subprocess.run(["bash", "-c", command], env={**os.environ, "LC_ALL": "C"}).returncode != expected:
            return f"{command} failed"
    return "" if digest_of_file(file) == before else f"{file} has changed"


if __name__ == "__main__":
    CASES[sys.argv[1]][0](sys.argv[2])
