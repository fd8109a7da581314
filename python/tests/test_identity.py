"""Tests of mounts that share a path with others, or have a strange one."""

import os
import subprocess
from pathlib import Path

import boto3
import pytest

import tractfs
from tractfs import _program


@pytest.fixture
def other_uri(server: str) -> str:
    client = boto3.Session(profile_name="hcp").client("s3")
    client.create_bucket(Bucket="other")
    client.put_object(Bucket="other", Key="other.txt", Body=b"other")
    return "s3://other"


def test_a_later_mount_on_the_path_stays(uri: str, other_uri: str, folder: Path) -> None:
    former = tractfs.mount(uri, folder, profile="hcp")
    subprocess.run([_program.path(), "unmount", str(folder)], check=True)
    subprocess.run([_program.path(), "mount", other_uri, str(folder), "--profile", "hcp"], check=True)
    try:
        assert not former.is_mounted
        former.unmount()
        assert os.listdir(folder) == ["other.txt"]
        assert [each.uri.rstrip("/") for each in tractfs.mounts()] == [other_uri]
    finally:
        subprocess.run([_program.path(), "unmount", str(folder)], check=True)


def has_unique_mount_ids() -> bool:
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int(minor)) >= (6, 8)


@pytest.mark.skipif(not has_unique_mount_ids(), reason="needs Linux 6.8")
def test_the_end_of_a_block_leaves_a_later_mount_of_the_same_bucket(uri: str, folder: Path) -> None:
    with tractfs.mount(uri, folder, profile="hcp") as former:
        former.unmount()
        later = tractfs.mount(uri, folder, profile="hcp")
        assert not former.is_mounted
    assert later.is_mounted and [each for each in tractfs.mounts()] == [later]
    later.unmount()
    assert not later.is_mounted


def test_a_mount_of_another_program_is_unmounted_by_its_object(uri: str, folder: Path) -> None:
    subprocess.run([_program.path(), "mount", uri, str(folder), "--profile", "hcp"], check=True)
    [found] = tractfs.mounts()
    assert found.is_mounted and found.path == folder
    found.unmount(grace="1s")
    assert tractfs.mounts() == []


@pytest.mark.parametrize("name", ["no\u00a0break", "ideographic\u3000space", "back\\slash and space"])
def test_a_path_may_have_any_space(uri: str, tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with tractfs.mount(uri, tmp_path / name, profile="hcp") as hcp:
        assert hcp.is_mounted
    assert not os.listdir(tmp_path / name)


def test_unmounting_has_no_effect_if_another_program_was_faster(
    uri: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hcp = tractfs.mount(uri, folder, profile="hcp")
    run = _program.run

    def run_later(*arguments: str) -> str:
        subprocess.run([_program.path(), "unmount", str(folder)], check=True)
        return run(*arguments)

    monkeypatch.setattr(_program, "run", run_later)
    hcp.unmount()
    assert not hcp.is_mounted


def test_the_grace_is_an_option_of_unmounting(uri: str, folder: Path) -> None:
    hcp = tractfs.mount(uri, folder, profile="hcp")
    with pytest.raises(tractfs.TractfsError, match="grace"):
        hcp.unmount(grace="soon")
    with open(hcp / "100307/notes.txt") as file:
        hcp.unmount(grace="0s")
        assert not hcp.is_mounted and not file.closed
