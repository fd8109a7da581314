"""The names and sizes of subjects of the Human Connectome Project's S3 bucket.

They are modeled: as many keys and folders in a subject as in the real bucket, at the same depth, some folders of more than
a page of a listing, and names that are hard for a file system. TRACTFS_HCP_NAMES may name a program that writes the real
ones: `PROGRAM --list-only FILE --subjects N --scale 1` writes a line `KEY<TAB>SIZE` for each object into FILE.
"""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator

from .objects import KiB, MiB

GENERATOR = os.environ.get("TRACTFS_HCP_NAMES")
PREFIX = "HCP_1200"


def source() -> str:
    """Returns the source of the names: the program, or "modeled"."""
    return Path(GENERATOR).name if GENERATOR else "modeled"


def objects(subjects: int) -> Iterator[tuple[str, int]]:
    """Returns the `(key, size)` of the given number of subjects, in the order of the keys."""
    return _generated(subjects) if GENERATOR else _modeled(subjects)


def _generated(subjects: int) -> Iterator[tuple[str, int]]:
    with tempfile.NamedTemporaryFile("r", prefix="tractfs-bench-keys.") as keys:
        subprocess.run(
            ["python3", GENERATOR, "--list-only", keys.name, "--subjects", str(subjects), "--scale", "1"],
            check=True, stderr=subprocess.DEVNULL)
        pairs = (line.rstrip("\n").split("\t") for line in keys.readlines())
    yield from sorted(((key, int(size)) for key, size in pairs), key=lambda pair: pair[0].encode())


# The tasks of a 3T subject, with their numbers of contrasts: each contrast has several folders.
CONTRASTS = {"EMOTION": 6, "GAMBLING": 6, "LANGUAGE": 6, "MOTOR": 26, "RELATIONAL": 6, "SOCIAL": 6, "WM": 30}
DIRECTIONS = ("LR", "RL")
RESTS = [f"rfMRI_REST{index}_{direction}" for index in (1, 2) for direction in DIRECTIONS]
# The files of a contrast's folder.
STATISTICS = ("cope1", "mask", "mean_random_effects_var1", "pe1", "res4d", "tdof_t1", "tstat1", "varcope1", "weights1",
              "zflame1lowertstat1", "zflame1uppertstat1", "zstat1")
DESIGN = ("design.con", "design.fsf", "design.grp", "design.lev", "design.mat", "design.png", "design_cov.png")
# The files of every scan: head motion, and the scanner's fields.
MOTION = ("AbsoluteRMS", "AbsoluteRMS_mean", "Regressors", "Regressors_dt", "RelativeRMS")
FIELDS = ("BIAS_32CH", "BIAS_BC", "SpinEchoFieldMap_LR", "SpinEchoFieldMap_RL")
# The files of every independent component of a rest run.
COMPONENT = ("IC_{}.html", "IC_{}.png", "IC_{}_MM.html", "IC_{}_MMfit.png", "IC_{}_MMprob.png", "IC_{}_prob.png",
             "IC_{}_thresh.png", "f{}.png", "f{}.txt", "t{}.txt")
# Folders without special content: the number of files, and their size.
PLAIN_FOLDERS = {
    ".xdlm": (46, 12 * KiB), "release-notes": (68, 2 * KiB), "MNINonLinear": (94, 5 * MiB), "MNINonLinear/Native": (82, MiB),
    "MNINonLinear/fsaverage_LR32k": (78, MiB), "MNINonLinear/ROIs": (6, 30 * KiB), "MNINonLinear/xfms": (3, 90 * MiB),
    "T1w": (17, 40 * MiB), "T1w/Diffusion": (5, 300 * MiB), "T1w/Diffusion/eddylogs": (8, 60 * KiB),
    "T1w/Diffusion.bedpostX": (38, 40 * MiB), "T1w/Diffusion.bedpostX/logs/logs_gpu": (72, KiB), "T1w/Native": (11, 5 * MiB),
    "T1w/fsaverage_LR32k": (26, MiB), "T1w/{}/label": (73, 800 * KiB), "T1w/{}/mri": (61, 8 * MiB),
    "T1w/{}/stats": (16, 8 * KiB),
    "T1w/{}/mri/orig": (1, 11 * MiB), "T1w/{}/mri/transforms": (21, KiB), "T1w/{}/surf": (122, 3 * MiB),
    "T1w/{}/touch": (61, 100), "unprocessed/3T": (1, KiB), "unprocessed/3T/Diffusion": (26, 100 * MiB),
    "unprocessed/3T/T1w_MPR1": (6, 10 * MiB), "unprocessed/3T/T2w_SPC1": (6, 10 * MiB)}
# Names that are easily confused, or need encoding.
ODD_NAMES = ("T1w/{}/mri/aparc+aseg.nii.gz", "T1w/{}/mri/aparc.a2009s+aseg.mgz", "T1w/{}/mri/orig.mgz",
             "T1w/Diffusion_7T/bvals",
             "MEG/Wrkmem/tmegpreproc/{}_MEG_7-Wrkmem_tmegpreproc_[LM-TEMG-LF]_[BT-diff],[FB-alpha].mat")


def _modeled(subjects: int) -> Iterator[tuple[str, int]]:
    for index in range(subjects):
        yield from objects_of(index, str(100_206 + 4_211 * index))


def objects_of(index: int, subject: str) -> Iterator[tuple[str, int]]:
    """Returns the modeled `(key, size)` of the subject with this index and id, in the order of the keys."""
    paths = {**_plain(), **_tasks(), **_rests(index)}
    named = ((f"{PREFIX}/{subject}/{path.replace('{}', subject)}", size) for path, size in paths.items())
    yield from sorted(named, key=lambda pair: pair[0].encode())


def _plain() -> dict[str, int]:
    """Yields paths below a subject, with {} for its id, and sizes, like the other functions here."""
    paths = {f"{folder}/{{}}_{folder.rpartition('/')[2].replace('{}', 'native')}.{file:03}.nii.gz": size
             for folder, (count, size) in PLAIN_FOLDERS.items() for file in range(count)}
    return paths | {path: MiB for path in ODD_NAMES}


def _tasks() -> dict[str, int]:
    paths: dict[str, int] = {}
    for task, contrasts in CONTRASTS.items():
        results = f"MNINonLinear/Results/tfMRI_{task}/tfMRI_{task}_hp200"
        levels = [f"{results}_s{smoothing}_level2.feat/GrayordinatesStats" for smoothing in (2, 4, 8, 12)]
        levels += [f"{results}_s{smoothing}_level2_MSMAll.feat/GrayordinatesStats" for smoothing in (2, 4)]
        for contrast in range(1, contrasts + 1):
            for level in levels:
                folder = f"{level}/cope{contrast}.feat"
                paths |= {f"{folder}/{name}.dtseries.nii": 996 * KiB for name in STATISTICS} | {f"{folder}/logfile": 0}
            folder = f"{results}_s4_level2vol.feat/cope{contrast}.feat"
            paths |= {f"{folder}/stats/{name}.nii.gz": 900 * KiB for name in STATISTICS} | {f"{folder}/stats/logfile": 0}
            paths |= {f"{folder}/{name}": 3 * KiB for name in DESIGN}
        for level in levels:
            paths |= {f"{level.rpartition('/')[0]}/{name}": 3 * KiB for name in DESIGN}
        for direction in DIRECTIONS:
            paths |= _run(f"tfMRI_{task}_{direction}", 330 * MiB)
    return paths


def _run(run: str, size: int) -> dict[str, int]:
    """Yields the files of a scan: its results and their sources."""
    results, raw = f"MNINonLinear/Results/{run}", f"unprocessed/3T/{run}"
    motion = [f"{results}/Movement_{name}.txt" for name in MOTION]
    evs = [f"{results}/EVs/{name}.txt" for name in ("Sync", "cue", "fear", "neut")]
    volumes = [f"{results}/{run}.nii.gz", f"{raw}/{{}}_3T_{run}.nii.gz"]
    volumes += [f"{raw}/{{}}_3T_{name}.nii.gz" for name in FIELDS]
    small = [*motion, *evs, f"{results}/RibbonVolumeToSurfaceMapping/goodvoxels.nii.gz",
             f"{raw}/LINKED_DATA/PHYSIO/{{}}_3T_{run}_Physio_log.txt"]
    return {path: size for path in volumes} | {path: 100 * KiB for path in small}


def _rests(subject_index: int) -> dict[str, int]:
    """Yields rest runs, with a folder for each component: the largest has more files than a page of a listing."""
    paths: dict[str, int] = {}
    for index, run in enumerate(RESTS):
        paths |= _run(run, 988 * MiB)
        ica = f"MNINonLinear/Results/{run}/{run}_hp2000.ica"
        paths |= {f"{ica}/{name}": 0 for name in (".fix", "Noise.txt", "Signal.txt")}
        # The number of components varies by subject.
        components = 30 + (subject_index * 53 + index * 71) % 140
        report = f"{ica}/filtered_func_data.ica/report"
        paths |= {f"{report}/{name.format(number)}": 20 * KiB for number in range(1, components + 1) for name in COMPONENT}
    return paths
