"""The workloads of listing: the rows of the second table."""

from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Callable

from . import walkers
from .hcp import PREFIX
from .mounts import Variant
from .readers import Reader
from .trees import FLAT_SUBJECTS, HCP20, MILLION, MILLION_FOLDER, PAGE_SIZE, TWO_MILLION, Tree
from .workloads import LISTING, NativeWalk, Pages, Target, Workload, at_most

# The number of absent names to look up.
ABSENT = 100
# The size of a folder of about 50 entries; the tree has some.
SMALL_FOLDER = range(45, 56)
CURL_CONNECTIONS = 32


def found(tree: Tree) -> Callable[[Path], list[Reader]]:
    return lambda root: [walkers.program(["find", root], tree.entry_count)]


def found_by_size(tree: Tree) -> Callable[[Path], list[Reader]]:
    return lambda root: [walkers.program(["find", root, "-type", "f", "-size", "+1"], tree.counted_by_size)]


def recursive_lines(tree: Tree) -> int:
    """Returns the number of lines of `ls -R`: each folder's title, its entries, and an empty line between two."""
    return tree.entry_count - 1 + 2 * len(tree.folders) - 1


@cache
def deep_keys() -> tuple[str, str]:
    """Returns two files of one folder, six levels deep."""
    keys = (key for key in HCP20.listing if key.count("/") == 5)
    return next(pair for pair in pairwise(keys) if pair[0].rpartition("/")[0] == pair[1].rpartition("/")[0])


@cache
def small_folder() -> str:
    """Returns the deepest folder of about 50 entries."""
    fitting = [folder for folder, count in HCP20.folders.items() if count in SMALL_FOLDER]
    return max(fitting, key=lambda folder: folder.count("/"))


@cache
def subject() -> str:
    """Returns the folder of the first subject."""
    return "/".join(HCP20.listing[0].split("/")[:2])


@cache
def subject_lines() -> tuple[int, int]:
    """Returns the number of lines of `find` for the subject, and of `ls -lAR`: a title, a total and all entries of each
    folder, and an empty line between two."""
    below = subject() + "/"
    folders = 1 + sum(folder.startswith(below) for folder in HCP20.folders)
    files = sum(key.startswith(below) for key in HCP20.listing)
    return files + folders, files + folders - 1 + 3 * folders - 1


def flat_subject(root: Path) -> Path:
    return root / "sub-001"


def sidecars(root: Path) -> list[Reader]:
    """Returns absent names in a listed subject: of files without .gz, and one in every folder."""
    folders = [f"{flat_subject(root)}/run-{run:02}" for run in range(1, 46)]
    images = [f"{folder}/vol-{file:04}.nii" for file in (0, 1) for folder in folders]
    return [walkers.absences([f"{folder}/layout_config.json" for folder in folders] + images[:ABSENT - len(folders)])]


@cache
def anatomical_images() -> int:
    """Returns the number of results of the glob below: images directly in a subject's T1w."""
    parts = [key.split("/") for key in HCP20.listing if key.endswith(".nii.gz")]
    return sum(len(part) == 4 and part[2] == "T1w" for part in parts)


def flat_listings(tree: Tree) -> float:
    return 1.2 * tree.key_count / PAGE_SIZE + 40


NO_REQUEST = at_most("requests", 0)
NO_HEAD = at_most("heads", 0)
FIND = NativeWalk(HCP20, [])
# Longer than all runs.
LASTING = Variant(metadata_ttl="1h")


def walks() -> list[Workload]:
    """Returns all rows about listing, in the order of the table."""
    return [*_cold_walks(), *_known_walks(), *_single_folders(), *_tools()]


def _cold_walks() -> list[Workload]:
    return [
        Workload(
            "find", "find -type f -size +1, 20,000 keys in 920 folders", found_by_size(FLAT_SUBJECTS), LISTING,
            bucket=FLAT_SUBJECTS, pages=Pages(FLAT_SUBJECTS.flat_pages, CURL_CONNECTIONS), is_core=True,
            targets=(at_most("listings", 40), NO_HEAD, at_most("seconds", 1.0))),
        Workload(
            "find-hcp", "find over 20 subjects of the HCP", found(HCP20), LISTING, bucket=HCP20, time_limit=120,
            pages=Pages(HCP20.flat_pages, CURL_CONNECTIONS), is_ours_only=True,
            targets=(at_most("listings", lambda: flat_listings(HCP20)), NO_HEAD, at_most("time_ratio", 2))),
        Workload(
            "find-limit", "find over 2,000,000 keys, --metadata-limit 128MiB", found(TWO_MILLION), LISTING,
            bucket=TWO_MILLION, time_limit=240, pages=Pages(TWO_MILLION.flat_pages, CURL_CONNECTIONS),
            variant=Variant(metadata_limit="128MiB"), is_ours_only=True,
            targets=(at_most("memory_over_idle_mib", 128), NO_HEAD)),
    ]


def _known_walks() -> list[Workload]:
    def in_subject(command: list[str], lines: Callable[[], int]) -> Callable[[Path], list[Reader]]:
        return lambda root: [walkers.program([*command, root / subject()], lines())]
    find_subject = in_subject(["find"], lambda: subject_lines()[0])
    return [
        Workload(
            "find-again", "the HCP's subjects again", found(HCP20), LISTING, bucket=HCP20, warm_up=found(HCP20),
            variant=LASTING, native_walk=FIND, is_ours_only=True, targets=(NO_REQUEST, at_most("time_ratio", 2.5))),
        Workload(
            "find-size-again", "the same with -type f -size +1", found_by_size(HCP20), LISTING, bucket=HCP20,
            warm_up=found_by_size(HCP20), variant=LASTING, native_walk=NativeWalk(HCP20, ["-type", "f", "-size", "+1"]),
            is_ours_only=True, targets=(NO_REQUEST,)),
        Workload(
            "find-remounted", "the HCP's subjects after a remount, which counts", found(HCP20), LISTING, bucket=HCP20,
            variant=replace(LASTING, is_cached=True), is_warm=True, is_mount_timed=True, native_walk=FIND, is_ours_only=True,
            targets=(NO_REQUEST, at_most("time_ratio", 1.5 * 2.5))),
        Workload(
            "find-subject", "find over a known subject", find_subject, LISTING, bucket=HCP20, warm_up=find_subject,
            is_ours_only=True, targets=(NO_REQUEST,)),
        Workload(
            "ls-subject", "ls -lAR of it", in_subject(["ls", "-lAR"], lambda: subject_lines()[1]), LISTING, bucket=HCP20,
            warm_up=find_subject, baseline="find-subject", is_ours_only=True,
            targets=(NO_REQUEST, at_most("time_ratio", 1.5))),
    ]


def _single_folders() -> list[Workload]:
    def million(name: str, what: str, port: str, targets: tuple[Target, ...]) -> Workload:
        return Workload(
            name, f"ls -U of 1,000,000 keys{what}",
            lambda root: [walkers.program(["ls", "-U", root / MILLION_FOLDER], MILLION.key_count)], LISTING, port=port,
            bucket=MILLION, pages=Pages(lambda: MILLION.folder_pages(MILLION_FOLDER), 1), time_limit=120, is_ours_only=True,
            targets=targets)
    return [
        million("ls-million", ", no latency", "unlimited", (
            at_most("first_ms", 100), at_most("time_ratio", 1.3), at_most("bytes_each", 150))),
        million("ls-million-slow", "", "limited", (at_most("bytes_each", 150),)),
        Workload(
            "ls-small", "ls -A of a folder of 50 entries", lambda root: [
                walkers.program(["ls", "-A", root / small_folder()], HCP20.folders[small_folder()])], LISTING, bucket=HCP20,
            targets=(at_most("requests", lambda: small_folder().count("/") + 2),), is_core=True),
        Workload(
            "stat-deep", "stat 6 levels deep", lambda root: [walkers.stats([str(root / deep_keys()[0])])], LISTING,
            bucket=HCP20, targets=(at_most("listings", 6), NO_HEAD), is_core=True),
        Workload(
            "stat-beside", "stat of a file beside it", lambda root: [walkers.stats([str(root / deep_keys()[1])])], LISTING,
            bucket=HCP20, warm_up=lambda root: [walkers.stats([str(root / deep_keys()[0])])], targets=(NO_REQUEST,),
            is_core=True),
        Workload(
            "sidecars", f"{ABSENT} names that are not there, in known folders", sidecars, LISTING, bucket=FLAT_SUBJECTS,
            warm_up=lambda root: [walkers.program(["find", flat_subject(root)], 1_046)], targets=(NO_REQUEST,),
            is_core=True),
    ]


def _tools() -> list[Workload]:
    def on_flat_subjects(name: str, command: str, readers: Callable[[Path], list[Reader]]) -> Workload:
        return Workload(
            name, f"{command}, 20,000 keys", readers, LISTING, bucket=FLAT_SUBJECTS, is_ours_only=True,
            targets=(at_most("listings", 40), NO_HEAD))
    # A page for the root, HCP_1200, each subject and each T1w, and a tenth and 32 for useless prefetches.
    needed = 2 + 2 * 20
    return [
        on_flat_subjects("ls-R", "ls -R", lambda root: [
            walkers.program(["ls", "-R", root], recursive_lines(FLAT_SUBJECTS))]),
        on_flat_subjects("du", "du -a", lambda root: [walkers.program(["du", "-a", root], FLAT_SUBJECTS.entry_count)]),
        on_flat_subjects("rsync", "rsync -rtn", lambda root: [walkers.program(
            ["rsync", "-rtn", "--out-format=%n", f"{root}/", root.parent / "nowhere"], FLAT_SUBJECTS.entry_count)]),
        on_flat_subjects("os.walk", "os.walk", lambda root: [walkers.python_walk(root, FLAT_SUBJECTS.entry_count)]),
        Workload(
            "glob", "glob of */T1w/*.nii.gz, 20 subjects of the HCP",
            lambda root: [walkers.python_glob(root / PREFIX, "*/T1w/*.nii.gz", anatomical_images())], LISTING, bucket=HCP20,
            is_ours_only=True, targets=(at_most("listings", 1.1 * needed + 32), NO_HEAD)),
    ]
