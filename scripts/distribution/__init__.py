"""The modules of scripts/package: packages of one program."""
