"""Tests of options, warnings and messages."""

import os
import stat
import warnings
from pathlib import Path
from typing import Any, Iterator

import numpy
import pytest

import tractfs
from tractfs import _program


@pytest.mark.parametrize("value, option", [
    ({"cache": False}, "--no-cache"), ({"cache": True}, "--cache"), ({"no_cache": False}, "--cache"),
    ({"no_sign_request": True}, "--no-sign-request"), ({"cache": numpy.bool_(True)}, "--cache"),
    ({"cache": numpy.bool_(False)}, "--no-cache"), ({"parallel": numpy.int64(32)}, "--parallel=32"),
    ({"read_timeout": "2m"}, "--read-timeout=2m"), ({"cache_dir": Path("/a b")}, "--cache-dir=/a b"),
])
def test_a_keyword_is_an_option(value: Any, option: str) -> None:
    assert _program.options(value) == [option]


@pytest.mark.parametrize("value", [["a", "b"], ("a",), {"a": 1}, b"a", numpy.array([1])])
def test_a_value_that_no_option_can_have_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="^profile is to be a text"):
        _program.options({"profile": value})


def test_none_is_no_option() -> None:
    assert _program.options({"profile": None}) == []


@pytest.mark.parametrize("name, value", [("foreground", True), ("no_foreground", True), ("owner_pid", 1), ("o", "ro")])
def test_an_option_that_would_change_whose_the_mount_is_is_refused(uri: str, folder: Path, name: str, value: Any) -> None:
    options = {"profile": "hcp", name: value}
    with pytest.raises(TypeError, match=f"^{name} is no option of tractfs.mount"):
        tractfs.mount(uri, folder, **options)
    assert tractfs.mounts() == []


def test_the_environment_does_not_keep_a_mount_in_the_foreground(
    uri: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACTFS_FOREGROUND", "true")
    with tractfs.mount(uri, folder, profile="hcp") as hcp:
        assert hcp.is_mounted


@pytest.fixture
def talking_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The program, with two lines on standard error."""
    script = tmp_path / "tractfs"
    script.write_text(
        f"#!/bin/sh\necho 'tractfs: warning: the URL ends early' >&2\necho 'tractfs: waiting' >&2\n"
        f"exec {_program.path()} \"$@\"\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(_program, "path", lambda: os.fspath(script))
    yield


def test_what_a_command_tells_in_spite_of_success_is_a_warning(
    uri: str, folder: Path, talking_program: None
) -> None:
    with pytest.warns(tractfs.TractfsWarning) as told, tractfs.mount(uri, folder, profile="hcp") as hcp:
        hcp.presign("100408/notes.txt")
    assert [str(each.message) for each in told][:4] == ["the URL ends early", "waiting"] * 2
    assert {each.filename for each in told[:4]} == {__file__}


def test_progress_is_no_warning(uri: str, folder: Path, monkeypatch: pytest.MonkeyPatch, talking_program: None) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        hcp = tractfs.mount(uri, folder, profile="hcp")
        count = len(told)
        hcp.warm("100408")
        assert len(told) == count
        hcp.unmount()


def test_no_mount_remains_if_warnings_are_errors(uri: str, folder: Path, talking_program: None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(tractfs.TractfsWarning):
            tractfs.mount(uri, folder, profile="hcp")
        warnings.simplefilter("ignore")
        assert tractfs.mounts() == []


def test_a_missing_program_is_installed_with_the_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from importlib import metadata

    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    monkeypatch.setenv("PATH", str(tmp_path))
    _program.path.cache_clear()
    try:
        with pytest.raises(tractfs.ProgramNotFound, match=r"pip install --force-reinstall \./tractfs-\*\.whl"):
            _program.path()
    finally:
        _program.path.cache_clear()
