"""The code of others in a program: its versions and licenses, from the places where they are recorded."""

import gzip
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from distribution import licenses, portable
from distribution.release import Release, output

# Names of licenses in Debian's copyright files, by their names in SPDX.
SPDX_NAMES = {
    licenses.APACHE: "Apache-2.0", licenses.SWIFT: "Apache-2.0 WITH Swift-exception", licenses.EXPAT: "MIT", "MIT": "MIT",
    "curl": "curl", "LGPL-2.1": "LGPL-2.1-only", "BSD-2-clause": "BSD-2-Clause",
}
# What SQLite's authors wrote in place of a license has a name in SPDX; "public domain" has none.
PUBLIC_DOMAIN = {"sqlite3": "blessing"}
GCC_LICENSE = "GPL-3.0-or-later WITH GCC-exception-3.1"


@dataclass(frozen=True, order=True)
class Component:
    name: str
    version: str
    # An expression of SPDX.
    license: str
    # Its name for tools that look for known vulnerabilities (https://github.com/package-url/purl-spec).
    purl: str


def of_program(release: Release, root: Path) -> list[Component]:
    """Returns what any program of ours contains: Swift packages, Swift's runtime, and the code of headers."""
    packages = licenses.linked_packages(release.built_program)
    made = [swift_package(package, root) for package in packages]
    made += [toml(package) for package in packages if package.name == "TOMLKit"]
    return sorted([*made, runtime(), icu(), debian("libxxhash-dev", "*")])


def of_portable_program(release: Release, root: Path) -> list[Component]:
    """Returns what a portable program contains: in addition, all libraries but glibc."""
    libraries = [
        debian(package, files, release.curl_version if package.startswith("libcurl") else None)
        for package, files in portable.LICENSED_PACKAGES.items()
    ]
    return sorted([*of_program(release, root), *libraries, gcc(root / ".build/portable" / portable.SYSROOT_SUITE)])


def swift_package(checkout: Path, root: Path) -> Component:
    """Returns a package of Package.swift, which must have a fixed version there."""
    pin = next(pin for pin in json.loads((root / "Package.resolved").read_text())["pins"] if pin["identity"] == checkout.name.lower())
    location, version = pin["location"].removesuffix(".git"), pin["state"].get("version", "")
    if f'url: "{location}", exact: "{version}"' not in (root / "Package.swift").read_text():
        raise ValueError(f"Package.swift has no exact version of {checkout.name}, of which {version or 'no version'} was built")
    name, _ = licenses.license_of(checkout)
    return Component(checkout.name, version, SPDX_NAMES[name], f"pkg:swift/{location.removeprefix('https://')}@{version}")


def toml(checkout: Path) -> Component:
    """Returns the library in C++ that TOMLKit has a copy of."""
    head = (checkout / "Sources/CTOML/Sources/toml.hpp").read_text()[:1000]
    version, license = found(r"toml\+\+ v(\S+)", head), found(r"SPDX-License-Identifier: (.+)", head)
    return Component("toml++", version, license, f"pkg:github/marzer/tomlplusplus@v{version}")


def runtime() -> Component:
    """Returns Swift's libraries, which the toolchain brings along."""
    version = found(r"Swift version (\S+)", output("swift", "--version", stderr=subprocess.DEVNULL))
    text = (toolchain() / "share/swift/LICENSE.txt").read_text()
    return Component(
        "swift", version, SPDX_NAMES[licenses.name_of(text, "swift")], f"pkg:github/swiftlang/swift@swift-{version}-RELEASE")


def icu() -> Component:
    """Returns the ICU in Foundation."""
    header = (toolchain() / "lib/swift_static/_foundation_unicode/uvernum.h").read_text()
    version = found(r'#define U_ICU_VERSION "(.+)"', header)
    if "License & terms of use: http://www.unicode.org/copyright.html" not in header:
        raise ValueError("Swift's ICU is no longer under the Unicode License; see scripts/distribution/components.py")
    return Component("icu", version, "Unicode-3.0", f"pkg:github/unicode-org/icu@release-{version.replace('.', '-')}")


def debian(package: str, files: str, version: str | None = None) -> Component:
    """Returns the source of an installed package, with the license of these files of it."""
    name, installed = output("dpkg-query", "-W", "-f", "${source:Package} ${source:Version}", package).split()
    version = version or installed
    license = debian_license(Path("/usr/share/doc") / package / "copyright", files)
    spdx = PUBLIC_DOMAIN[name] if license == "public-domain" else SPDX_NAMES.get(license)
    if spdx is None:
        raise ValueError(f"{package}: unknown license {license}; add it to scripts/distribution/components.py")
    return Component(name, version, spdx, f"pkg:deb/debian/{name}@{version.replace('+', '%2B')}?arch=source")


def debian_license(file: Path, files: str) -> str:
    """Returns the license of the paragraph for `files` of a machine-readable copyright file."""
    for paragraph in re.split(r"\n\s*\n", file.read_text()):
        if re.search(rf"^Files:\s*{re.escape(files)}\s*$", paragraph, re.MULTILINE):
            return found(r"^License:\s*(.+?)\s*$", paragraph)
    raise ValueError(f"{file} has no paragraph for {files}")


def gcc(system: Path) -> Component:
    """Returns GCC's libstdc++ and libgcc, from the folder of the oldest system."""
    folder = system / portable.GCC_DOCUMENTATION
    with gzip.open(folder / "changelog.Debian.gz", "rt") as changelog:
        name, version = found(r"^(\S+ \(\S+\))", changelog.readline()).replace("(", "").replace(")", "").split()
    if "GCC Runtime Library Exception" not in " ".join((folder / "copyright").read_text().split()):
        raise ValueError(f"{folder}/copyright has no exception for libraries")
    return Component(name, version, GCC_LICENSE, f"pkg:deb/debian/{name}@{version}?arch=source")


def toolchain() -> Path:
    """Returns the folder of Swift's toolchain with its `lib` and `share`."""
    return Path(json.loads(output("swiftc", "-print-target-info"))["paths"]["runtimeResourcePath"]).parent.parent


def found(pattern: str, text: str) -> str:
    """Returns the first group of a pattern, which must match."""
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        raise ValueError(f"no match of {pattern!r} in {text[:100]!r}")
    return match[1]
