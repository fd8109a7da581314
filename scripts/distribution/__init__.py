"""The modules of scripts/package: a Debian package and a tarball of one program."""
