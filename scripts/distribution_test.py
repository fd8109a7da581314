#!/usr/bin/env python3
"""Tests of `scripts/distribution`: `python3 scripts/distribution_test.py`."""
import json
import subprocess
import tempfile
import unittest
from pathlib import Path

from distribution import changelog, components, licenses, sbom, tree
from distribution.components import Component
from distribution.release import Release

COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2001 A
License: GPL-2

Files: lib/*
Copyright: 2002 B
License: LGPL-2.1

License: GPL-2
 The text.
"""


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def written(self, text, name="file"):
        path = self.folder / name
        path.write_text(text)
        return path


class Changelogs(InFolder):
    def check(self, text, is_tagged=False):
        changelog.check(self.written(f"# Changes\n\n{text}"), "1.2.0", is_tagged)

    def test_a_version_without_a_section_is_refused(self):
        with self.assertRaisesRegex(ValueError, "has no section of 1.2.0"):
            self.check("## 1.2.01 (unreleased)\n\n- One.\n")

    def test_an_empty_section_is_refused(self):
        with self.assertRaisesRegex(ValueError, "is empty"):
            self.check("## 1.2.0 (unreleased)\n\n## 1.1.0 (2026-01-02)\n\n- One.\n")

    def test_only_a_tag_needs_a_date(self):
        self.check("## 1.2.0 (unreleased)\n\n- One.\n")
        self.check("## 1.2.0 (2026-01-02)\n\n- One.\n", is_tagged=True)
        with self.assertRaisesRegex(ValueError, "give 1.2.0 its date"):
            self.check("## 1.2.0 (unreleased)\n\n- One.\n", is_tagged=True)


class Licenses(InFolder):
    def test_the_license_of_a_part_of_a_source_package_is_found(self):
        self.assertEqual(components.debian_license(self.written(COPYRIGHT), "*"), "GPL-2")
        self.assertEqual(components.debian_license(self.written(COPYRIGHT), "lib/*"), "LGPL-2.1")
        with self.assertRaisesRegex(ValueError, "no paragraph for include"):
            components.debian_license(self.written(COPYRIGHT), "include/*")

    def test_an_unknown_license_is_refused(self):
        self.assertEqual(licenses.name_of("Apache License\nRuntime Library Exception", "a"), licenses.SWIFT)
        with self.assertRaisesRegex(ValueError, "a: unknown license"):
            licenses.name_of("All rights reserved", "a")

    def test_a_package_of_swift_needs_a_fixed_version(self):
        self.written(json.dumps({"pins": [
            {"identity": "log.swift", "location": "https://h/o/log.swift.git", "state": {"version": "1.5.0"}}]}), "Package.resolved")
        checkout = self.folder / "Log.swift"
        checkout.mkdir()
        (checkout / "LICENSE").write_text("Apache License\nCopyright 2020 A.\n")
        self.written('.package(url: "https://h/o/log.swift", from: "1.5.0")', "Package.swift")
        with self.assertRaisesRegex(ValueError, "no exact version of Log.swift, of which 1.5.0 was built"):
            components.swift_package(checkout, self.folder)
        self.written('.package(url: "https://h/o/log.swift", exact: "1.5.0")', "Package.swift")
        self.assertEqual(
            components.swift_package(checkout, self.folder),
            Component("Log.swift", "1.5.0", "Apache-2.0", "pkg:swift/h/o/log.swift@1.5.0"))


class Bills(InFolder):
    def test_each_artefact_contains_its_components_and_no_others(self):
        a, b = (Component(name, "1", "MIT", f"pkg:github/o/{name}@1") for name in "ab")
        package, wheel = self.written("package", "x.deb"), self.written("wheel", "x.whl")
        release = Release(Path("tractfs"), "1.2.0", "1.2.0~3.gabc", 86400, "amd64", "x86_64", "M <m@example.org>")
        bill = self.folder / "bill"
        sbom.write(release, {package: [a], wheel: [a, b]}, bill)
        document = json.loads(bill.read_text())
        self.assertEqual(document["creationInfo"]["created"], "1970-01-02T00:00:00Z")
        names = {each["SPDXID"]: each.get("packageFileName", each["name"]) for each in document["packages"]}
        contents = [
            (names[each["spdxElementId"]], names[each["relatedSpdxElement"]]) for each in document["relationships"]
            if each["relationshipType"] == "CONTAINS"]
        self.assertEqual(contents, [("x.deb", "a"), ("x.whl", "a"), ("x.whl", "b")])


class Programs(InFolder):
    def test_hashes_that_depend_on_paths_are_not_in_a_stripped_program(self):
        source = '__attribute__((used, section(".swift_modhash"))) const char hash[] = "hash of 1 path"; int main(void) { return 7; }'
        program, target = self.folder / "program", self.folder / "stripped"
        subprocess.run(["clang", self.written(source, "a.c"), "-o", program], check=True)
        self.assertIn(b"hash of 1 path", program.read_bytes())
        tree.strip(program, target)
        self.assertNotIn(b"hash of 1 path", target.read_bytes())
        self.assertEqual(subprocess.run([target]).returncode, 7)


if __name__ == "__main__":
    unittest.main()
