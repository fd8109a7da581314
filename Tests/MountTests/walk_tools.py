#!/usr/bin/env python3
"""Walks a mount as a tool does, and compares what the tool shows with what is there.

walk_tools.py TOOL FOLDER EXPECTED [--below PATH] [--changing NAME] [--errors-allowed-below PATH]

EXPECTED has a line for each entry, sorted: its size ("-" for a folder), a tab, its path below FOLDER. Prints what differs;
status 1 if anything does, 3 if nothing does but where the tool was allowed to fail and did. --below: walks only this folder of it. --changing: whatever is in folders of this name is not
looked at. --errors-allowed-below: the tool may fail on this folder of it and those below ("" for all), if it says so, and
entries may be missing where it does but nowhere else.
"""

import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile

SHOWN_DIFFERENCE_COUNT = 10
TOOLS = {}


def tool(shows=lambda path, size: True, sizes="none"):
    """Registers a tool: a function of a Walk that yields (path, size).

    shows: which of the entries it should find, by path and size (None for folders).
    sizes: whose sizes are compared: of "none", of "files", or of "all", where folders have None.
    """

    def register(function):
        TOOLS[function.__name__.replace("_", "-")] = (function, shows, sizes)
        return function

    return register


class Walk:
    """One tool's walk of a folder, and the errors that it met."""

    def __init__(self, root):
        self.root = root
        self.errors = []

    def relative(self, path):
        return os.path.relpath(path, self.root)

    def note(self, error):
        """What os.walk calls for a folder that it can't list."""
        self.errors.append((self.relative(error.filename), str(error)))

    def output(self, *command, separator="\n"):
        """The pieces of a command's output. Its messages are errors of the paths that they quote."""
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        result = subprocess.run(command, capture_output=True, env=environment, check=False)
        messages = os.fsdecode(result.stderr).splitlines()
        for message in messages:
            quoted = re.search(r"['‘\"](/.*)['’\"]", message)
            self.errors.append((self.relative(quoted[1]) if quoted else "", message))
        if result.returncode != 0 and not messages:
            self.errors.append(("", f"{command[0]} ended with status {result.returncode}"))
        if result.returncode == 0 and messages:
            self.errors.append(("", f"{command[0]} met errors, but ended with status 0"))
        return [piece for piece in os.fsdecode(result.stdout).split(separator) if piece]


@tool()
def find(walk):
    for line in walk.output("find", walk.root, "-mindepth", "1", "-printf", "%P\\0", separator="\0"):
        yield line, None


@tool(shows=lambda path, size: size is not None and size > 1, sizes="all")
def find_size(walk):
    command = ("find", walk.root, "-type", "f", "-size", "+1c", "-printf", "%s %P\\0")
    for line in walk.output(*command, separator="\0"):
        size, path = line.split(" ", 1)
        yield path, int(size)


@tool()
def ls_R(walk):
    folder = None
    for line in walk.output("ls", "-1AUNR", walk.root):
        if line.endswith(":") and line.startswith(walk.root):
            folder = walk.relative(line[:-1])
        else:
            yield os.path.normpath(os.path.join(folder, line)), None


@tool(sizes="all")
def ls_lR(walk):
    folder = None
    for line in walk.output("ls", "-lAUNR", "--time-style=+%s", walk.root):
        entry = re.fullmatch(r"([-d])\S+ +\d+ +\S+ +\S+ +(\d+) +\d+ (.*)", line)
        if entry:
            path = os.path.normpath(os.path.join(folder, entry[3]))
            yield path, None if entry[1] == "d" else int(entry[2])
        elif line.startswith(walk.root):
            folder = walk.relative(line[:-1])


@tool(sizes="files")
def du_a(walk):
    for line in walk.output("du", "-a", "-0", "--apparent-size", "-B1", walk.root, separator="\0"):
        size, path = line.split("\t", 1)
        if path != walk.root:
            yield walk.relative(path), int(size)


@tool(sizes="all")
def rsync_n(walk):
    with tempfile.TemporaryDirectory() as empty:
        for line in walk.output("rsync", "-rn8", "--out-format=%i %l %n", walk.root + "/", empty):
            kind, size, path = line.split(" ", 2)
            if path != "./":
                # rsync(1): control characters are shown in octal.
                path = re.sub(r"\\#(\d{3})", lambda octal: chr(int(octal[1], 8)), path)
                yield path.rstrip("/"), None if kind[1] == "d" else int(size)


@tool()
def tar_c(walk):
    for line in walk.output("tar", "-cvf", "/dev/null", "--quoting-style=literal", "-C", walk.root, "."):
        if line != "./":
            yield os.path.normpath(line), None


@tool()
def os_walk(walk):
    for folder, folders, files in os.walk(walk.root, onerror=walk.note):
        for name in folders + files:
            yield walk.relative(os.path.join(folder, name)), None


@tool(sizes="all")
def os_fwalk(walk):
    for folder, folders, files, descriptor in os.fwalk(walk.root, onerror=walk.note):
        for name in folders:
            yield walk.relative(os.path.join(folder, name)), None
        for name in files:
            try:
                yield walk.relative(os.path.join(folder, name)), os.stat(name, dir_fd=descriptor).st_size
            except OSError as error:
                walk.errors.append((walk.relative(os.path.join(folder, name)), str(error)))


@tool()
def glob_all(walk):
    for path in glob.iglob("**", root_dir=walk.root, recursive=True, include_hidden=True):
        if path:
            yield path.rstrip("/"), None


@tool(shows=lambda path, size: re.fullmatch(r"[^./][^/]*/T1w/[^./][^/]*\.nii\.gz", path))
def glob_T1w(walk):
    for path in glob.iglob("*/T1w/*.nii.gz", root_dir=walk.root):
        yield path, None


@tool(sizes="all")
def stack(walk):
    """All of a folder, then its folders, the last one first: as programs do that keep a stack of folders."""
    waiting = [walk.root]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as iterator:
                entries = list(iterator)
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                yield walk.relative(entry.path), None if is_folder else entry.stat().st_size
                if is_folder:
                    waiting.append(entry.path)
        except OSError as error:
            walk.note(error)


def is_below(path, folders):
    """Whether the path is one of the folders or below one."""
    return "" in folders or "." in folders or path in folders or any(path.startswith(folder + "/") for folder in folders)


class Comparison:
    """A walk beside what it should have found."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.function, self.shows, self.sizes = TOOLS[arguments.tool]
        self.walk = Walk(os.path.abspath(os.path.join(arguments.folder, arguments.below)))
        self.expected = dict(self.read_expected())

    def is_changing(self, path):
        return self.arguments.changing is not None and self.arguments.changing in path.split("/")

    def read_expected(self):
        prefix = self.arguments.below + "/" if self.arguments.below else ""
        with open(self.arguments.expected, encoding="utf-8", newline="\n") as lines:
            for line in lines:
                size, path = line.rstrip("\n").split("\t", 1)
                if not path.startswith(prefix):
                    continue
                path, size = path.removeprefix(prefix), None if size == "-" else int(size)
                if self.shows(path, size) and not self.is_changing(path):
                    yield path, size

    def is_right(self, size, expected):
        if self.sizes == "none" or self.sizes == "files" and expected is None:
            return True
        return size == expected

    def differences(self):
        found = set()
        for path, size in self.function(self.walk):
            if self.is_changing(path):
                continue
            if path in found:
                yield f"{path}: twice"
            found.add(path)
            if path not in self.expected:
                yield f"{path}: isn't there"
            elif not self.is_right(size, self.expected[path]):
                yield f"{path}: {size} bytes for {self.expected[path]}"
        errors = [(path, text) for path, text in self.walk.errors if not self.is_changing(path)]
        allowed = {self.arguments.errors_allowed_below} - {None}
        failed = {path for path, _ in errors if is_below(path, allowed)}
        self.has_failed = bool(failed)
        # These first: they say why entries are missing.
        yield from (text for path, text in errors if path not in failed)
        yield from (f"{path}: missing" for path in self.expected.keys() - found if not is_below(path, failed))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool", choices=TOOLS)
    parser.add_argument("folder")
    parser.add_argument("expected")
    parser.add_argument("--below", default="")
    parser.add_argument("--changing")
    parser.add_argument("--errors-allowed-below")
    comparison = Comparison(parser.parse_args())
    differences = list(comparison.differences())
    for difference in differences[:SHOWN_DIFFERENCE_COUNT]:
        print(difference)
    if len(differences) > SHOWN_DIFFERENCE_COUNT:
        print(f"and {len(differences) - SHOWN_DIFFERENCE_COUNT} more")
    sys.exit(1 if differences else 3 if comparison.has_failed else 0)


if __name__ == "__main__":
    main()
