"""Tests of the package as a user installs it."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Callable, Dict

import nibabel
import pytest

import tractfs

IMAGE = "100307/T1w/T1w_acpc_dc.nii.gz"
SUBJECTS = ["100307", "100408", "101107"]


def eventually(what: str, is_true: Callable[[], bool]) -> None:
    for _ in range(600):
        if is_true():
            return
        time.sleep(0.05)
    pytest.fail(f"{what} did not happen")


def is_mounted(path: "os.PathLike[str]") -> bool:
    return f" {os.path.realpath(path)} fuse.tractfs " in Path("/proc/mounts").read_text()


def test_a_mount_shows_the_bucket_and_ends_with_its_block(uri: str, objects: Dict[str, bytes]) -> None:
    with tractfs.mount(uri, profile="hcp") as hcp:
        assert sorted(os.listdir(hcp)) == SUBJECTS
        assert (hcp / IMAGE).read_bytes() == objects[f"HCP_1200/{IMAGE}"]
        assert hcp.is_mounted and is_mounted(hcp.path)
    assert not hcp.is_mounted and not hcp.path.exists()


def test_a_mount_stays_on_the_folder_that_was_given(uri: str, folder: Path) -> None:
    hcp = tractfs.mount(uri, folder, profile="hcp", cache=False, read_timeout="30s")
    assert hcp.path == folder and sorted(os.listdir(folder)) == SUBJECTS
    assert [each.path for each in tractfs.mounts()] == [folder]
    hcp.unmount()
    hcp.unmount()
    assert folder.exists() and not is_mounted(folder) and tractfs.mounts() == []


def test_nibabel_reads_an_image(uri: str) -> None:
    with tractfs.mount(uri, profile="hcp") as hcp:
        image = nibabel.load(hcp / IMAGE)
        assert image.shape == (20, 24, 20) and image.get_fdata()[0, 0, 5] == 5


def test_an_open_bucket_needs_no_keys(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import boto3
    client = boto3.Session(profile_name="hcp").client("s3")
    client.create_bucket(Bucket="openneuro.org", ACL="public-read")
    client.put_object(
        Bucket="openneuro.org", Key="ds000114/sub-01/ses-test/anat/sub-01_ses-test_T1w.nii.gz", Body=b"image",
        ACL="public-read")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(tractfs.TractfsError, match="no AWS credentials found"):
        tractfs.mount("s3://openneuro.org/ds000114")
    with tractfs.mount("s3://openneuro.org/ds000114", no_sign_request=True) as dataset:
        images = sorted(dataset.path.glob("sub-*/ses-test/anat/*_T1w.nii.gz"))
        assert [image.read_bytes() for image in images] == [b"image"]


def test_warmed_files_are_in_the_cache(uri: str) -> None:
    with tractfs.mount(uri, profile="hcp") as hcp:
        hcp.warm(["100307", "100408"], include="*.txt")
        sent = hcp.status()["requests"]["get"]["sent"]
        assert sent == 2
        assert (hcp / "100307/notes.txt").read_text() == "notes of 100307\n"
        hcp.warm(exclude=["*.nii.gz"])
        assert hcp.status()["requests"]["get"]["sent"] == 3


def test_refreshing_shows_a_new_object(uri: str) -> None:
    import boto3
    client = boto3.Session(profile_name="hcp").client("s3")
    with tractfs.mount(uri, profile="hcp", metadata_ttl="forever") as hcp:
        assert sorted(os.listdir(hcp)) == SUBJECTS
        client.put_object(Bucket="hcp-demo", Key="HCP_1200/new.txt", Body=b"new")
        try:
            hcp.refresh()
            assert (hcp / "new.txt").read_text() == "new"
        finally:
            client.delete_object(Bucket="hcp-demo", Key="HCP_1200/new.txt")


def test_urls_download_files(uri: str) -> None:
    with tractfs.mount(uri, profile="hcp") as hcp:
        with urllib.request.urlopen(hcp.presign("100408/notes.txt", expires_in="15m")) as response:
            assert response.read() == b"notes of 100408\n"
        urls = hcp.presign_all(include="*.txt")
        assert [each["key"] for each in urls] == [f"HCP_1200/{subject}/notes.txt" for subject in SUBJECTS]


def test_an_error_has_the_message_of_the_program(uri: str, folder: Path) -> None:
    with pytest.raises(tractfs.TractfsError, match="^there is no profile nobody"):
        tractfs.mount(uri, profile="nobody")
    with pytest.raises(tractfs.TractfsError, match="does not exist; make it with"):
        tractfs.mount(uri, folder / "missing", profile="hcp")
    with tractfs.mount(uri, profile="hcp") as hcp, pytest.raises(tractfs.TractfsError) as raised:
        hcp.warm("missing")
    assert raised.value.exit_status == 1


FORKING_PROGRAM = """
import multiprocessing, os, sys, tractfs
from pathlib import Path
with tractfs.mount(sys.argv[1], profile="hcp") as hcp:
    if os.fork() == 0:
        # Leaves the block, and ends with all that is registered for that.
        sys.exit(0)
    assert os.wait()[1] == 0 and hcp.is_mounted
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(pool.map(Path.read_text, [hcp / name / "notes.txt" for name in sorted(os.listdir(hcp))]))
    assert hcp.is_mounted
"""


def test_forked_processes_use_the_mount_and_do_not_end_it(uri: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING_PROGRAM, uri], stdout=subprocess.PIPE, check=True, text=True, timeout=60)
    assert done.stdout == f"{[f'notes of {subject}' + chr(10) for subject in SUBJECTS]}\n"


PROGRAM = """
import sys, tractfs
mount = tractfs.mount(sys.argv[1], sys.argv[2], profile="hcp")
print("mounted", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, None])
def test_a_mount_ends_with_its_process(uri: str, folder: Path, number: "signal.Signals | None") -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, uri, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    assert process.stdout.readline() == b"mounted\n" and is_mounted(folder)
    if number is None:
        process.stdin.close()
    else:
        process.send_signal(number)
    process.wait()
    eventually("the end of the mount", lambda: not is_mounted(folder))
    process.stdout.close()
    process.stdin.close()


def test_a_mount_ends_with_the_kernel_of_its_notebook(uri: str, folder: Path) -> None:
    client_module = pytest.importorskip("nbclient")
    notebooks = pytest.importorskip("nbformat.v4")
    cells = [
        f"import nibabel, tractfs\nhcp = tractfs.mount({uri!r}, {str(folder)!r}, profile='hcp')",
        f"nibabel.load(hcp / {IMAGE!r}).shape",
    ]
    notebook = notebooks.new_notebook(cells=[notebooks.new_code_cell(cell) for cell in cells])
    client = client_module.NotebookClient(notebook, timeout=120)
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        assert notebook.cells[1].outputs[0]["data"]["text/plain"] == "(20, 24, 20)"
        assert is_mounted(folder)
        # As by a kernel that is out of memory.
        os.kill(client.km.provisioner.pid, signal.SIGKILL)
        eventually("the end of the mount", lambda: not is_mounted(folder))


def test_the_program_is_the_one_of_the_package() -> None:
    from importlib import metadata

    from tractfs import _program
    try:
        version = metadata.version("tractfs")
    except metadata.PackageNotFoundError:
        pytest.skip("the package is not installed by pip")
    done = subprocess.run([_program.path(), "--version"], stdout=subprocess.PIPE, check=True, text=True)
    assert version.startswith(done.stdout.strip())
