"""Test of the tutorial (docs/tutorial.ipynb), with scripts/demo's stand-in for the HCP."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator, List

import boto3
import pytest

import tractfs

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "hcp-openaccess"


@pytest.fixture
def demo_store(server: str, tmp_path: Path) -> Iterator[None]:
    client = boto3.Session(profile_name="hcp").client("s3")
    client.create_bucket(Bucket=BUCKET)
    subprocess.run([sys.executable, ROOT / "scripts/demo_tree.py", tmp_path / "tree"], check=True)
    for path in (tmp_path / "tree").rglob("*"):
        if path.is_file():
            client.put_object(Bucket=BUCKET, Key=str(path.relative_to(tmp_path / "tree")), Body=path.read_bytes())
    yield


def printed(cell: Any) -> str:
    return "".join(output["text"] for output in cell.outputs if output["output_type"] == "stream")


def test_the_tutorial_works_as_it_stands_there(demo_store: None) -> None:
    notebook = nbformat.read(ROOT / "docs/tutorial.ipynb", as_version=4)
    cells: List[Any] = [cell for cell in notebook.cells if cell.cell_type == "code"]
    # What is shown is what the reader's own run shows.
    assert not any(cell.outputs or cell.execution_count for cell in cells)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=os.fspath(ROOT / "docs"))
    text = "".join(map(printed, cells))
    assert "3 subjects, from 100307 to 996782" in text
    assert "T1w_acpc_dc_restore_brain.nii.gz" in text and "(18, 22, 18) voxels" in text
    assert any("image/png" in output.get("data", {}) for cell in cells for output in cell.outputs)
    assert "bytes, 0 requests" in text
    assert tractfs.mounts() == []
