"""An S3 server with a small stand-in for the HCP, for tests of the installed package."""

import gzip
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Dict, Iterator

import boto3
import nibabel
import numpy
import pytest

BUCKET = "hcp-demo"
IMAGE = "HCP_1200/100307/T1w/T1w_acpc_dc.nii.gz"


@pytest.fixture(scope="session")
def objects() -> Dict[str, bytes]:
    """The content of the bucket by key."""
    voxels = numpy.arange(20 * 24 * 20, dtype=numpy.int16).reshape(20, 24, 20)
    image = nibabel.Nifti1Image(voxels, numpy.eye(4)).to_bytes()
    texts = {f"HCP_1200/{subject}/notes.txt": f"notes of {subject}\n".encode() for subject in (100307, 100408, 101107)}
    return {IMAGE: gzip.compress(image, mtime=0), **texts}


def wait_for(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.05)
    pytest.fail("the S3 server does not start")


@pytest.fixture(scope="session", autouse=True)
def server(objects: Dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server, to which the environment of the tests and of their children refers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # In another process: a module in C that reads from a mount may hold the lock of the interpreter that the server needs.
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    wait_for(port)
    home = tmp_path_factory.mktemp("home")
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text("[hcp]\naws_access_key_id = key\naws_secret_access_key = secret\n")
    os.environ.update({
        "HOME": str(home), "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_EC2_METADATA_DISABLED": "true"})
    client = boto3.Session(profile_name="hcp").client("s3")
    client.create_bucket(Bucket=BUCKET)
    for key, body in objects.items():
        client.put_object(Bucket=BUCKET, Key=key, Body=body)
    yield os.environ["AWS_ENDPOINT_URL"]
    process.terminate()
    process.wait()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache for each test, so that none reads what another one has listed."""
    monkeypatch.setenv("TRACTFS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def uri() -> str:
    return f"s3://{BUCKET}/HCP_1200"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mnt").mkdir()
    return tmp_path / "mnt"
