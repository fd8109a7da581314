#!/usr/bin/env python3
"""Compares a mount with a local copy as Python programs read: compare_trees.py walk|mmap|listing MOUNT COPY [BUCKET].

walk: os.walk's names, sizes and contents. mmap: random places of big files, through shared and private maps. listing:
sizes and times of the mount with what boto3 lists of the bucket. Prints what differs; status 1 if anything does.
"""

import mmap
import os
import random
import sys

BIG = 4096
PLACE_COUNT = 200


def read(path):
    with open(path, "rb") as file:
        return file.read()


def walk(root):
    """Yields (path below root, None) of folders and (path, size) of files, in os.walk's order, names sorted."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in folders:
            yield os.path.relpath(os.path.join(folder, name), root), None
        for name in sorted(files):
            path = os.path.join(folder, name)
            yield os.path.relpath(path, root), os.lstat(path).st_size


def compare_walks(mount, copy):
    ours, theirs = list(walk(mount)), list(walk(copy))
    yield from (f"{entry} is not on both sides" for entry in set(ours) ^ set(theirs))
    if len(ours) != len(set(ours)):
        yield "os.walk names something twice"
    for path, size in theirs:
        if size is not None and read(os.path.join(mount, path)) != read(os.path.join(copy, path)):
            yield f"{path}: contents"


def compare_maps(mount, copy):
    generator = random.Random(7)
    for path, size in walk(copy):
        if size is None or size < BIG:
            continue
        expected = read(os.path.join(copy, path))
        for flags in (mmap.MAP_SHARED, mmap.MAP_PRIVATE):
            with open(os.path.join(mount, path), "rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, flags=flags, prot=mmap.PROT_READ)
            for start in [0, size - 1] + [generator.randrange(size) for _ in range(PLACE_COUNT)]:
                end = start + generator.randrange(1, 100_000)
                if mapped[start:end] != expected[start:end]:
                    yield f"{path}: {start} to {end}, flags {flags}"


def compare_listing(mount, bucket):
    import boto3

    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    listed = {
        item["Key"]: (item["Size"], int(item["LastModified"].timestamp()))
        for page in pages for item in page.get("Contents", [])
    }
    found = {}
    for path, size in walk(mount):
        if size is not None:
            found[path] = (size, int(os.lstat(os.path.join(mount, path)).st_mtime))
    for path in listed.keys() | found.keys():
        if listed.get(path) != found.get(path):
            yield f"{path}: the bucket has {listed.get(path)}, the mount {found.get(path)}"


def main():
    what, mount, copy, *bucket = sys.argv[1:]
    differences = {
        "walk": lambda: compare_walks(mount, copy),
        "mmap": lambda: compare_maps(mount, copy),
        "listing": lambda: compare_listing(mount, *bucket),
    }[what]()
    found = False
    for difference in differences:
        print(difference)
        found = True
    sys.exit(found)


if __name__ == "__main__":
    main()
