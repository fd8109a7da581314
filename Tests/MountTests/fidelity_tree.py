#!/usr/bin/env python3
"""Makes a folder of 2,000 files in 300 folders with the names and sizes that mounts get wrong: fidelity_tree.py DIRECTORY.

The contents follow from a seed and the order of the files, so that the same tree comes out each time.
"""

import os
import random
import sys

SEED = 20
FILE_COUNT = 2_000
FOLDER_COUNT = 300
MIB = 1 << 20
SIZES = [0, 1, 4095, 4096, 4097, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 100 * MIB]
ODD_NAMES = [
    "with space", " leading and trailing ", "caf\u00e9 composed", "cafe\u0301 decomposed", "\u8133\u306e\u753b\u50cf",
    "\U0001f9e0", "a+b", "a%20b", "a%2Fb", "100%", "a#b", "a&b", "a=b", "a?b", "a;b", "a:b", "a*b", "a@b", "a$b", "~a",
    "'single'", '"double"', "back\\slash", "tab\tin", "new\nline", "[bracket]", "{brace}", "a,b", "a|b", "a<b>c", "a^`b",
    "-dash", "...", ".hidden", "a!b", "(a)", "x" * 255, "\u00e9" * 127,
]


def folder_names(generator):
    """The paths of the folders, the root among them and "odd" not: the odd names, and a tree as deep as chance makes it,
    some of its folders beside others that their names begin ("Diffusion", "Diffusion.bedpostX")."""
    paths = [""] + [name[:120] for name in ODD_NAMES if len(name.encode()) < 200]
    while len(paths) < FOLDER_COUNT:
        parent = generator.choice(paths)
        if parent.count("/") < 6:
            name = generator.choice(["T1w", "Diffusion", "Diffusion.bedpostX", "MNI Linear", "100307"])
            paths.append(os.path.join(parent, f"{name} {len(paths)}"))
    return paths


def main():
    generator = random.Random(SEED)
    root = sys.argv[1]
    paths = folder_names(generator)
    for path in paths:
        os.makedirs(os.path.join(root, path), exist_ok=True)
    files = [(f"size {size}", size) for size in SIZES]
    files += [(f"odd/{name}", len(name)) for name in ODD_NAMES]
    # S3 has no empty folders, so each gets a file first.
    files += [(os.path.join(path, "file.json"), 100 + index) for index, path in enumerate(paths)]
    os.makedirs(os.path.join(root, "odd"))
    while len(files) < FILE_COUNT:
        name = f"{len(files)}{generator.choice(['.nii.gz', '.txt', '+.dat', ' [1,2].json'])}"
        files.append((os.path.join(generator.choice(paths), name), generator.choice([17, 500, 5_000])))
    for path, size in files:
        with open(os.path.join(root, path), "wb") as file:
            file.write(generator.randbytes(size))


if __name__ == "__main__":
    main()
