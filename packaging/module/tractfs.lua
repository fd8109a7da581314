-- A module for Lmod: copy this file to tractfs/VERSION.lua in a folder of $MODULEPATH, and unpack the portable tree to `root`.
local root = pathJoin("/opt/apps/tractfs", myModuleVersion())

help([[Mounts S3 buckets as read-only folders: tractfs mount --help, man tractfs]])
whatis("Name: tractfs")
whatis("Version: " .. myModuleVersion())
whatis("Description: Mounts S3 buckets as read-only folders")
prepend_path("PATH", pathJoin(root, "bin"))
prepend_path("MANPATH", pathJoin(root, "share/man"))
