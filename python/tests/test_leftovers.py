"""Tests of what remains when all processes of a job are killed at once."""

import errno
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator

import pytest

import tractfs
from tractfs import _program
from test_mount import eventually, is_mounted

JOB = """
import sys, tractfs
hcp = tractfs.mount(sys.argv[1], profile="hcp")
status = hcp.status()
print(hcp.path, status["supervisor_pid"], status["server_pid"], sep="\\n", flush=True)
sys.stdin.read()
"""


class Job:
    """A process with a mount on a temporary folder."""

    def __init__(self, uri: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", JOB, uri], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.folder, self.supervisor, self.server = (
            convert(self.process.stdout.readline().strip()) for convert in (Path, int, int))

    def kill_mount(self) -> None:
        """Kills what would unmount first, as the end of a cgroup does it at once."""
        kill_together(self.supervisor, self.server)
        eventually("the death of the mount", lambda: is_dead(self.folder))

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def kill_together(supervisor: int, server: int) -> None:
    # Stopped, so that neither sees the end of the other one.
    os.kill(supervisor, signal.SIGSTOP)
    os.kill(server, signal.SIGSTOP)
    os.kill(supervisor, signal.SIGKILL)
    os.kill(server, signal.SIGKILL)


def is_dead(folder: Path) -> bool:
    try:
        os.statvfs(folder)
    except OSError as error:
        return error.errno == errno.ENOTCONN
    return False


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of temporary folders. What is mounted there is unmounted."""
    parent = tmp_path / "temporary"
    parent.mkdir()
    monkeypatch.setenv("TMPDIR", str(parent))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield parent
    for folder in parent.iterdir():
        if is_mounted(folder):
            subprocess.run([_program.path(), "unmount", "--grace=0s", str(folder)], check=True)


def test_a_dead_mount_of_a_killed_job_is_removed(uri: str, temporary: Path) -> None:
    job = Job(uri)
    job.kill_mount()
    job.kill()
    assert is_mounted(job.folder)
    with tractfs.mount(uri, profile="hcp") as hcp:
        assert hcp.is_mounted and not is_mounted(job.folder)
        assert list(temporary.iterdir()) == [hcp.path]


def test_the_dead_mount_of_a_process_that_lives_is_left_alone(uri: str, temporary: Path) -> None:
    job = Job(uri)
    job.kill_mount()
    with tractfs.mount(uri, profile="hcp"):
        assert is_mounted(job.folder)
    job.kill()


def test_a_mount_that_works_and_folders_of_others_are_left_alone(uri: str, temporary: Path) -> None:
    job = Job(uri)
    ended = subprocess.Popen(["true"])
    ended.wait()
    # The name of an ended process, for a mount that works, and for a folder without a mount.
    working, empty = (temporary / f"tractfs-python-{ended.pid}-{letter * 8}" for letter in "ab")
    dead = temporary / "tractfs-mine"
    for folder in (working, empty, dead):
        folder.mkdir()
    subprocess.run([_program.path(), "mount", uri, str(working), "--profile", "hcp"], check=True)
    subprocess.run([_program.path(), "mount", uri, str(dead), "--profile", "hcp"], check=True)
    [other] = [each.status() for each in tractfs.mounts() if each.path == dead]
    kill_together(other["supervisor_pid"], other["server_pid"])
    eventually("the death of the mount", lambda: is_dead(dead))
    with tractfs.mount(uri, profile="hcp"):
        assert is_mounted(job.folder) and is_mounted(working) and is_mounted(dead) and empty.exists()
        assert sorted(os.listdir(job.folder)) == sorted(os.listdir(working)) != []
    job.kill()
    eventually("the end of the mount", lambda: not is_mounted(job.folder))


def test_a_temporary_folder_is_named_after_its_process(uri: str, temporary: Path) -> None:
    with tractfs.mount(uri, profile="hcp") as hcp:
        assert re.fullmatch(rf"tractfs-python-{os.getpid()}-.{{8}}", hcp.path.name)
