"""What scripts/package makes: a Debian package and a tarball of one program."""
