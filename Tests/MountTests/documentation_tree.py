"""Writes what the documentation's commands look at: scripts/demo's stand-in for the HCP, once for each prefix that is mounted, and more
files with the HCP's names. Those that tools read are valid where nibabel is there to write them."""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts"))
import demo_tree  # noqa: E402

PREFIXES = ("HCP_1200", "HCP")
VOLUMES = ("T1w/T1w_acpc_dc.nii.gz",)
SERIES = "MNINonLinear/Results/rfMRI_REST1_LR/rfMRI_REST1_LR_Atlas_MSMAll_hp2000_clean.dtseries.nii"
BIG = "MNINonLinear/Results/rfMRI_REST1_LR/rfMRI_REST1_LR_hp2000_clean.nii.gz"
DIFFUSION = "T1w/Diffusion/data.nii.gz"
VERTEX_COUNT, FRAME_COUNT = 64, 40


def dense_series():
    """Returns a CIFTI-2 series of a cortex of a few vertices."""
    import nibabel
    import numpy
    from nibabel.cifti2 import cifti2_axes

    models = cifti2_axes.BrainModelAxis.from_mask(numpy.ones(VERTEX_COUNT, bool), name="CortexLeft")
    series = cifti2_axes.SeriesAxis(0, 0.72, FRAME_COUNT)
    data = numpy.random.default_rng(1).random((FRAME_COUNT, VERTEX_COUNT), dtype="float32")
    return nibabel.Cifti2Image(data, (series, models)).to_bytes()


def diffusion():
    """Returns a volume of four dimensions."""
    import nibabel
    import numpy

    data = numpy.random.default_rng(2).integers(0, 200, (10, 10, 10, 6)).astype("int16")
    return nibabel.Nifti1Image(data, numpy.diag((1.25, 1.25, 1.25, 1))).to_bytes()


def freesurfer_volume():
    """Returns a volume of FreeSurfer's."""
    import nibabel
    import numpy

    data = numpy.random.default_rng(3).integers(0, 200, (16, 16, 16)).astype("uint8")
    return nibabel.MGHImage(data, numpy.diag((1, 1, 1, 1)).astype("float32")).to_bytes()


def made_by_nibabel():
    """Returns names and bytes; nothing where there is no nibabel."""
    try:
        import gzip

        return {
            SERIES: dense_series(),
            DIFFUSION: gzip.compress(diffusion(), mtime=0),
            "T1w/{id}/mri/brain.mgz": gzip.compress(freesurfer_volume(), mtime=0),
        }
    except ImportError:
        return {SERIES: demo_tree.pseudorandom("series", 20_000)}


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: documentation_tree.py DIRECTORY")
    demo_tree.main()
    files = made_by_nibabel()
    for subject in demo_tree.SUBJECTS:
        folder = os.path.join(sys.argv[1], "HCP_1200", subject)
        for name in VOLUMES:
            demo_tree.write(folder, name, demo_tree.nifti(subject + name))
        for name, content in files.items():
            demo_tree.write(folder, name.format(id=subject), content)
    # So big that a reader of its beginning doesn't get all of it.
    folder = os.path.join(sys.argv[1], "HCP_1200", demo_tree.SUBJECTS[0])
    demo_tree.write(folder, BIG, demo_tree.pseudorandom("big", 16 << 20))
    for prefix in PREFIXES[1:]:
        shutil.copytree(os.path.join(sys.argv[1], "HCP_1200"), os.path.join(sys.argv[1], prefix))


if __name__ == "__main__":
    main()
