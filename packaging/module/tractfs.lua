-- A module for Lmod: copy this file to tractfs/VERSION.lua in a folder of $MODULEPATH, and unpack the portable tree to `root`:
-- tar -xf TARBALL --strip-components=1 -C ROOT
local root = pathJoin("/opt/apps/tractfs", myModuleVersion())

help([[Mounts S3 buckets as read-only folders: tractfs mount --help, man tractfs]])
whatis("Name: tractfs")
whatis("Version: " .. myModuleVersion())
whatis("Description: Mounts S3 buckets as read-only folders")
prepend_path("PATH", pathJoin(root, "bin"))
prepend_path("MANPATH", pathJoin(root, "share/man"))
-- The empty element stands for the manual pages of the system, which a MANPATH hides otherwise.
append_path("MANPATH", "", ":")
