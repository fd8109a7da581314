"""Mounts S3 buckets as folders, as long as this program runs.

    import tractfs

    with tractfs.mount("s3://hcp-openaccess/HCP_1200", profile="hcp") as hcp:
        print(sorted((hcp.path / "100307/T1w").iterdir()))

The mount ends with the block, with `unmount()`, or with this process, however that ends.
"""

from tractfs._mount import Mount, PresignedURL, mount, mounts
from tractfs._program import ProgramNotFound, TractfsError, TractfsWarning

__all__ = ["Mount", "PresignedURL", "ProgramNotFound", "TractfsError", "TractfsWarning", "mount", "mounts"]
