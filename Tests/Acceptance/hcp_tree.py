#!/usr/bin/env python3
"""Writes a stand-in for the HCP_1200 folder of the Human Connectome Project: its layout, small files that real tools open.

    hcp_tree.py FOLDER [--subjects N] [--one-in N]

Volumes are NIfTI-1 and MGH, surfaces GIFTI and FreeSurfer, grayordinates CIFTI-2, each written by nibabel. Beside them stands
one in N of a subject's 14,000 analysis files (scripts/benchmark/hcp.py models their names) with a few lines each. Every file
that isn't empty differs from every other, and two runs write the same bytes.
"""

import argparse
import gzip
import io
import sys
import zlib
from pathlib import Path

import nibabel
import numpy
from nibabel import cifti2, freesurfer, gifti

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from benchmark import hcp  # noqa: E402

SUBJECTS = ("100307", "103818", "111312", "996782")
RUN = "rfMRI_REST1_LR"
VOLUME_SHAPE = (64, 72, 64)
DIFFUSION_SHAPE = (24, 28, 24, 30)
# Some 40 MB compressed: several read windows, and more than one part of a ranged GET.
REST_SHAPE = (40, 48, 40, 800)
# The time points of the grayordinates.
SERIES_LENGTH = 120
# The rows and columns of a sphere's mesh.
MESH_SHAPE = (40, 60)
AFFINE = numpy.diag([-0.7, 0.7, 0.7, 1.0])


def generator(path):
    """Returns a random generator that depends on the path alone."""
    return numpy.random.default_rng(zlib.crc32(path.encode()))


def volume(path, shape):
    """Returns a NIfTI-1 image: a bright ellipsoid with noise, as a brain on a dark background."""
    random = generator(path)
    grid = numpy.meshgrid(*(numpy.linspace(-1, 1, count) for count in shape[:3]), indexing="ij")
    brain = sum(axis**2 for axis in grid) < 0.8
    voxels = random.integers(0, 1000, shape, dtype=numpy.int16)
    voxels *= brain.reshape(brain.shape + (1,) * (len(shape) - 3))
    image = nibabel.Nifti1Image(voxels, AFFINE)
    image.header.set_xyzt_units("mm", "sec")
    image.header["descrip"] = path[-70:].encode()
    return image


def compressed(image):
    """Returns the image's file as gzip writes it, without a time in it."""
    return gzip.compress(image.to_bytes(), compresslevel=1, mtime=0)


def mgh(path):
    """Returns the bytes of an .mgz file."""
    voxels = generator(path).integers(0, 255, (48, 48, 48), dtype=numpy.uint8)
    return gzip.compress(nibabel.MGHImage(voxels, AFFINE).to_bytes(), compresslevel=1, mtime=0)


def sphere(path):
    """Returns the points and triangles of a bumpy sphere."""
    rows, columns = MESH_SHAPE
    latitude = numpy.linspace(0.05, numpy.pi - 0.05, rows)[:, None]
    longitude = numpy.linspace(0, 2 * numpy.pi, columns, endpoint=False)[None, :]
    radius = 80 + generator(path).random((rows, columns))
    points = radius[..., None] * numpy.stack(
        [numpy.sin(latitude) * numpy.cos(longitude), numpy.sin(latitude) * numpy.sin(longitude),
         numpy.cos(latitude) + 0 * longitude], axis=-1)
    index = numpy.arange(rows * columns).reshape(rows, columns)
    right = numpy.roll(index, -1, axis=1)
    upper = numpy.stack([index[:-1], right[:-1], index[1:]], axis=-1).reshape(-1, 3)
    lower = numpy.stack([right[:-1], right[1:], index[1:]], axis=-1).reshape(-1, 3)
    return points.reshape(-1, 3).astype("f4"), numpy.concatenate([upper, lower]).astype("i4")


def surface(path):
    """Returns a GIFTI surface."""
    points, triangles = sphere(path)
    side = "CortexLeft" if ".L." in path else "CortexRight"
    meta = gifti.GiftiMetaData({"AnatomicalStructurePrimary": side, "GeometricType": "Anatomical"})
    return gifti.GiftiImage(darrays=[
        gifti.GiftiDataArray(points, intent="NIFTI_INTENT_POINTSET", datatype="NIFTI_TYPE_FLOAT32", meta=meta),
        gifti.GiftiDataArray(triangles, intent="NIFTI_INTENT_TRIANGLE", datatype="NIFTI_TYPE_INT32"),
    ]).to_bytes()


def metric(path):
    """Returns a GIFTI shape file: a number for each vertex."""
    values = generator(path).random(MESH_SHAPE[0] * MESH_SHAPE[1], dtype="f4")
    array = gifti.GiftiDataArray(values, intent="NIFTI_INTENT_SHAPE", datatype="NIFTI_TYPE_FLOAT32")
    meta = gifti.GiftiMetaData({"AnatomicalStructurePrimary": "CortexLeft"})
    return gifti.GiftiImage(darrays=[array], meta=meta).to_bytes()


def grayordinates():
    """Returns the brain models of a CIFTI-2 file: both cortices, and a block of voxels."""
    count = MESH_SHAPE[0] * MESH_SHAPE[1]
    cortices = [
        cifti2.BrainModelAxis.from_surface(numpy.arange(count), count, name=name)
        for name in ("CortexLeft", "CortexRight")
    ]
    mask = numpy.zeros((20, 20, 20), bool)
    mask[4:12, 4:12, 4:12] = True
    return cortices[0] + cortices[1] + cifti2.BrainModelAxis.from_mask(mask, affine=AFFINE, name="thalamus_left")


def cifti(path, rows, dtype="f4"):
    """Returns a CIFTI-2 file with these rows over the grayordinates."""
    models = grayordinates()
    random = generator(path)
    shape = (len(rows), len(models))
    values = random.integers(0, 3, shape) if isinstance(rows, cifti2.LabelAxis) else random.random(shape)
    image = cifti2.Cifti2Image(values.astype(dtype), header=cifti2.Cifti2Header.from_axes((rows, models)))
    image.update_headers()
    return image.to_bytes()


def freesurfer_file(path, write):
    """Returns the bytes that nibabel's `write` puts into a file."""
    scratch = Path(sys.argv[1]) / ".scratch"
    write(scratch)
    content = scratch.read_bytes()
    scratch.unlink()
    return content


def text(path, line_count=40):
    return "".join(f"{path} {number}\n" for number in generator(path).integers(0, 10**9, line_count)).encode()


def valid_files(subject):
    """Returns {path below the subject: function from the path to the bytes} of the files that tools open."""
    results, native = f"MNINonLinear/Results/{RUN}", f"T1w/{subject}"
    meshes = f"MNINonLinear/fsaverage_LR32k/{subject}"
    series = cifti2.SeriesAxis(0, 0.72, SERIES_LENGTH)
    labels = cifti2.LabelAxis(["aparc"], [{0: ("???", (0, 0, 0, 0)), 1: ("V1", (1, 0, 0, 1)), 2: ("V2", (0, 1, 0, 1))}])

    def of(shape):
        return lambda path: compressed(volume(path, shape))

    files = {f"T1w/{name}.nii.gz": of(VOLUME_SHAPE) for name in (
        "T1w_acpc_dc_restore", "T1w_acpc_dc_restore_brain", "T2w_acpc_dc_restore", "aparc+aseg", "aparc.a2009s+aseg", "wmparc", "ribbon")}
    files |= {f"MNINonLinear/{name}.nii.gz": of(VOLUME_SHAPE) for name in ("T1w_restore", "aparc+aseg", "ROIs/Atlas_ROIs.2")}
    files |= {f"{native}/mri/{name}.mgz": mgh for name in ("T1", "orig", "brain", "aparc+aseg", "orig/001")}
    files |= {f"T1w/Diffusion/{name}": text for name in ("bvals", "bvecs")}
    files |= {"T1w/Diffusion.bedpostX/dyads1.nii.gz": of(DIFFUSION_SHAPE[:3]), "T1w/Diffusion_7T/bvals": text}
    files |= {f"{meshes}.{side}.{name}.32k_fs_LR.surf.gii": surface for side in "LR" for name in ("midthickness", "white")}
    files |= {f"MNINonLinear/Native/{subject}.{side}.sphere.native.surf.gii": surface for side in "LR"}
    for side in "lr":
        for name in ("white", "pial"):
            files[f"{native}/surf/{side}h.{name}"] = lambda path: freesurfer_file(
                path, lambda file: freesurfer.write_geometry(file, *sphere(path), create_stamp=path))
        for name in ("thickness", "curv"):
            files[f"{native}/surf/{side}h.{name}"] = lambda path: freesurfer_file(
                path, lambda file: freesurfer.write_morph_data(file, generator(path).random(2400, dtype="f4")))
    return files | {
        "T1w/Diffusion/data.nii.gz": of(DIFFUSION_SHAPE),
        "T1w/Diffusion/nodif_brain_mask.nii.gz": of(DIFFUSION_SHAPE[:3]),
        f"{meshes}.L.thickness.32k_fs_LR.shape.gii": metric,
        f"{meshes}.thickness.32k_fs_LR.dscalar.nii": lambda path: cifti(path, cifti2.ScalarAxis(["thickness"])),
        f"{meshes}.aparc.32k_fs_LR.dlabel.nii": lambda path: cifti(path, labels),
        f"{results}/{RUN}.nii.gz": of(REST_SHAPE),
        f"{results}/{RUN}_SBRef.nii.gz": of(REST_SHAPE[:3]),
        f"{results}/{RUN}_Atlas.dtseries.nii": lambda path: cifti(path, series),
        f"{results}/{RUN}_Atlas_MSMAll_hp2000_clean.dtseries.nii": lambda path: cifti(path, series),
        f"{results}/Movement_Regressors.txt": lambda path: text(path, 1200),
        f"{results}/{RUN}_hp2000.ica/.fix": lambda path: b"",
        f"{results}/ReclassifyAsNoise.txt": lambda path: b"",
        f".xdlm/{subject}_3T_Structural_preproc.xdlm.json": text,
        "release-notes/Structural_preproc.txt": text,
        f"MEG/{subject}_MEG_7-Wrkmem_[LM-TEMG-LF]_[BT-diff],[FB-alpha].mat": text,
    }


def modelled_files(subject, index):
    """Returns the same for the files that no tool opens."""
    start = f"{hcp.PREFIX}/"
    names = (key.removeprefix(start).partition("/")[2] for key, _ in hcp.objects_of(index, subject))
    return {name: small_content for name in names}


def small_content(path):
    """Returns a small file: a volume where the name says so, because tools open folders of them by a pattern."""
    if path.endswith(".nii.gz"):
        return compressed(volume(path, (6, 6, 6)))
    return mgh(path) if path.endswith(".mgz") else text(path, 3)


def write_subject(folder, subject, index, one_in):
    modelled = list(modelled_files(subject, index).items())[::one_in]
    files = dict(modelled) | valid_files(subject)
    for name, content in files.items():
        path = folder / subject / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(f"{subject}/{name}"))
    return len(files)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--subjects", type=int, default=1, choices=range(1, len(SUBJECTS) + 1))
    parser.add_argument("--one-in", type=int, default=8, metavar="N", help="write one in N of the modelled files")
    arguments = parser.parse_args()
    folder = arguments.folder / hcp.PREFIX
    folder.mkdir(parents=True, exist_ok=True)
    count = sum(
        write_subject(folder, subject, index, arguments.one_in)
        for index, subject in enumerate(SUBJECTS[:arguments.subjects]))
    print(f"{count} files in {folder}")


if __name__ == "__main__":
    main()
