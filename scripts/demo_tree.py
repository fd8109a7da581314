#!/usr/bin/env python3
"""Writes a small stand-in for the Human Connectome Project's HCP_1200 folder: real names, tiny contents.

The .nii.gz files are valid NIfTI-1 (https://nifti.nimh.nih.gov/nifti-1), so that real tools open them.
"""

import gzip
import hashlib
import os
import struct
import sys

SUBJECTS = ("100307", "103818", "996782")
VOLUME_SHAPE = (18, 22, 18)

VOLUMES = """
T1w/T1w_acpc_dc_restore.nii.gz T1w/T1w_acpc_dc_restore_brain.nii.gz T1w/T2w_acpc_dc_restore.nii.gz
T1w/aparc+aseg.nii.gz T1w/aparc.a2009s+aseg.nii.gz T1w/wmparc.nii.gz T1w/ribbon.nii.gz T1w/brainmask_fs.nii.gz
T1w/Diffusion/data.nii.gz T1w/Diffusion/nodif_brain_mask.nii.gz T1w/Diffusion/grad_dev.nii.gz
T1w/Diffusion.bedpostX/mean_f1samples.nii.gz T1w/Diffusion.bedpostX/dyads1.nii.gz
MNINonLinear/T1w_restore.nii.gz MNINonLinear/T2w_restore.nii.gz MNINonLinear/aparc+aseg.nii.gz
MNINonLinear/xfms/acpc_dc2standard.nii.gz MNINonLinear/xfms/standard2acpc_dc.nii.gz
MNINonLinear/ROIs/Atlas_ROIs.2.nii.gz MNINonLinear/ROIs/ROIs.2.nii.gz
MNINonLinear/Results/rfMRI_REST1_LR/rfMRI_REST1_LR.nii.gz MNINonLinear/Results/rfMRI_REST1_LR/brainmask_fs.2.nii.gz
MNINonLinear/Results/tfMRI_WM_LR/tfMRI_WM_LR.nii.gz MNINonLinear/Results/tfMRI_MOTOR_LR/tfMRI_MOTOR_LR.nii.gz
unprocessed/3T/T1w_MPR1/{id}_3T_T1w_MPR1.nii.gz unprocessed/3T/T2w_SPC1/{id}_3T_T2w_SPC1.nii.gz
unprocessed/3T/rfMRI_REST1_LR/{id}_3T_rfMRI_REST1_LR.nii.gz
unprocessed/3T/Diffusion/{id}_3T_DWI_dir95_LR.nii.gz
""".split()

SURFACES = """
MNINonLinear/fsaverage_LR32k/{id}.L.midthickness.32k_fs_LR.surf.gii
MNINonLinear/fsaverage_LR32k/{id}.R.midthickness.32k_fs_LR.surf.gii
MNINonLinear/fsaverage_LR32k/{id}.aparc.32k_fs_LR.dlabel.nii
MNINonLinear/Native/{id}.L.sphere.native.surf.gii MNINonLinear/Native/{id}.R.sphere.native.surf.gii
T1w/Native/{id}.L.white.native.surf.gii T1w/Native/{id}.R.white.native.surf.gii
T1w/{id}/surf/lh.white T1w/{id}/surf/rh.white T1w/{id}/surf/lh.thickness T1w/{id}/surf/rh.thickness
T1w/{id}/mri/orig.mgz T1w/{id}/mri/orig/001.mgz T1w/{id}/mri/brain.mgz T1w/{id}/label/lh.cortex.label
""".split()

TEXTS = """
.xdlm/{id}_3T_Structural_preproc.xdlm.json release-notes/Structural_preproc.txt release-notes/Diffusion_preproc.txt
T1w/Diffusion/bvals T1w/Diffusion/bvecs T1w/{id}/stats/aseg.stats T1w/{id}/stats/lh.aparc.stats
MNINonLinear/Results/rfMRI_REST1_LR/Movement_Regressors.txt
MNINonLinear/Results/rfMRI_REST1_LR/rfMRI_REST1_LR_hp2000.ica/.fix
MNINonLinear/Results/tfMRI_WM_LR/EVs/0bk_body.txt MNINonLinear/Results/tfMRI_WM_LR/EVs/2bk_faces.txt
unprocessed/3T/rfMRI_REST1_LR/LINKED_DATA/PHYSIO/{id}_3T_rfMRI_REST1_LR_Physio_log.txt
""".split()

# Zero-byte objects are normal in the HCP.
EMPTY = ["MNINonLinear/Results/rfMRI_REST1_LR/ReclassifyAsNoise.txt"]


def pseudorandom(seed, byte_count):
    """Returns bytes derived from the seed, so that each file has different content."""
    return hashlib.shake_128(seed.encode()).digest(byte_count)


def nifti(name):
    """Returns a NIfTI-1 volume of bytes, compressed."""
    header = bytearray(352)  # ends with four zero bytes: no extensions
    struct.pack_into("<i", header, 0, 348)  # sizeof_hdr
    struct.pack_into("<8h", header, 40, 3, *VOLUME_SHAPE, 1, 1, 1, 1)  # dim
    struct.pack_into("<2h", header, 70, 2, 8)  # datatype uint8, bitpix
    struct.pack_into("<8f", header, 76, 1, 0.7, 0.7, 0.7, 1, 1, 1, 1)  # pixdim in mm
    struct.pack_into("<2f", header, 108, 352, 1)  # vox_offset, scl_slope
    header[123] = 10  # xyzt_units: mm and s
    header[344:348] = b"n+1\0"
    voxels = pseudorandom(name, VOLUME_SHAPE[0] * VOLUME_SHAPE[1] * VOLUME_SHAPE[2])
    return gzip.compress(bytes(header) + voxels, mtime=0)


def write(directory, name, content):
    path = os.path.join(directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: demo_tree.py DIRECTORY")
    for subject in SUBJECTS:
        directory = os.path.join(sys.argv[1], "HCP_1200", subject)
        for name in (pattern.format(id=subject) for pattern in VOLUMES):
            write(directory, name, nifti(subject + name))
        for name in (pattern.format(id=subject) for pattern in SURFACES):
            write(directory, name, pseudorandom(subject + name, 20_000))
        for name in (pattern.format(id=subject) for pattern in TEXTS):
            write(directory, name, f"{subject} {name}\n".encode() * 40)
        for name in EMPTY:
            write(directory, name, b"")


if __name__ == "__main__":
    main()
