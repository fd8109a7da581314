#!/usr/bin/env python3
"""Runs each case of cases.py in a local tree and in a mount of the same tree, and compares output, errors and exit status.

    compare.py LOCAL MOUNT [--only REGEX] [--writable]

Prints a line per case. The exit status is 1 if a case differs, prints nothing, or lacks a program that it needs.
"""

import argparse
import difflib
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cases

# No case may take longer, in seconds: a hang is a failure.
TIMEOUT = 600


class Result:
    """The observable result of a case in one tree, without the tree's own path."""

    def __init__(self, case, tree):
        environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}
        with tempfile.TemporaryDirectory(prefix="tractfs-case.") as scratch:
            begin = time.monotonic()
            process = subprocess.Popen(
                [sys.executable, cases.__file__, case, scratch], cwd=tree, env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                output, errors = process.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                output, errors = process.communicate()
                errors += f"\nno end after {TIMEOUT} s\n".encode()
            self.seconds = time.monotonic() - begin
            names = {str(tree).encode(): b"TREE", scratch.encode(): b"SCRATCH"}
        for name, word in names.items():
            output, errors = output.replace(name, word), errors.replace(name, word)
        self.status, self.output, self.errors = process.returncode, output, errors

    def lines(self):
        text = self.output + b"-- errors, exit status %d\n" % self.status + self.errors
        return text.decode(errors="backslashreplace").splitlines()


def compare(case, local, mount):
    """Returns the reason why the case fails; an empty text where it passes."""
    missing = cases.missing_needs(case)
    if missing:
        return f"needs {', '.join(missing)}: run scripts/setup --acceptance", None
    expected, found = Result(case, local), Result(case, mount)
    if expected.lines() != found.lines():
        difference = difflib.unified_diff(expected.lines(), found.lines(), "local", "mount", lineterm="", n=0)
        return "\n     ".join(["differs", *(line[:200] for line in list(difference)[:12])]), found
    if not expected.output.strip():
        return "prints nothing, so it compares nothing", found
    if expected.status != 0:
        return "fails in both trees:\n     " + "\n     ".join(expected.lines()[-6:]), found
    return "", found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("local", type=Path)
    parser.add_argument("mount", type=Path)
    parser.add_argument("--only", type=re.compile, default=re.compile(""), help="only cases whose names have this")
    parser.add_argument("--writable", action="store_true", help="the mount takes writes: leave out what it should refuse")
    arguments = parser.parse_args()
    local, mount = arguments.local.resolve(), arguments.mount.resolve()
    failures = []
    names = [name for name in cases.CASES if arguments.only.search(name)]
    for name in names:
        reason, found = compare(name, local, mount)
        print(f"{'FAIL' if reason else 'PASS'} {name}" + (f" ({found.seconds:.1f} s)" if found else "") + f" {reason}", flush=True)
        if reason:
            failures.append(name)
    if not arguments.writable:
        reason = cases.refused_changes(mount)
        print(f"{'FAIL' if reason else 'PASS'} changes are refused {reason}")
        names.append("changes")
        if reason:
            failures.append("changes")
    print(f"{len(names) - len(failures)} passed, {len(failures)} failed")
    sys.exit(1 if failures or len(names) < 2 else 0)


if __name__ == "__main__":
    main()
