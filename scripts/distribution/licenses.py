"""Whose code is in the program, and under which licenses: Debian's machine-readable copyright file."""

import re
from pathlib import Path

APACHE, SWIFT, EXPAT = "Apache-2.0", "Apache-2.0-with-Swift-exception", "Expat"
COPYRIGHT = re.compile(r"^[\s/*#]*(Copyright (?:\([cC]\)|©)?\s*\d{4}.*?)\.?$", re.MULTILINE)


def linked_packages(program: Path) -> list[Path]:
    """The checkouts of the packages that something was linked of, by the linker's own list of objects."""
    objects = program.parent / "tractfs.product" / "Objects.LinkFileList"
    checkouts = next((each / "checkouts" for each in program.parents if (each / "checkouts").is_dir()), None)
    if not objects.exists() or checkouts is None:
        raise ValueError(f"{program} must lie where swift build has put it: the licenses of what is in it are found there")
    modules = sorted(set(re.findall(r"/(\w+)\.build/", objects.read_text())))
    found = {checkout for module in modules if (checkout := checkout_of(module, program.parent, checkouts))}
    return sorted(found)


def checkout_of(module: str, build: Path, checkouts: Path) -> Path | None:
    """The checkout that a module's sources are in; none for our own."""
    sources = build / f"{module}.build" / "sources"
    if sources.exists():
        match = re.search(r"/checkouts/([^/]+)/", sources.read_text())
        return checkouts / match[1] if match else None
    return next((checkouts / path.relative_to(checkouts).parts[0] for path in checkouts.glob(f"*/Sources/{module}")), None)


def license_of(package: Path) -> tuple[str, str]:
    """The name of a package's license, and whose it is."""
    file = next((file for pattern in ("LICENSE*", "LICENCE*") for file in sorted(package.glob(pattern))), None)
    if file is None:
        raise ValueError(f"{package} has no LICENSE; say in scripts/distribution/licenses.py what it is under")
    text = file.read_text()
    if "Apache License" in text:
        name = SWIFT if "Runtime Library Exception" in text else APACHE
    elif "Permission is hereby granted, free of charge" in text:
        name = EXPAT
    else:
        raise ValueError(f"{file}: no license that scripts/distribution/licenses.py knows")
    return name, holder(package, text)


def holder(package: Path, license_text: str) -> str:
    """What the license says of it, or the sources."""
    for text in [license_text, *(file.read_text(errors="replace") for file in sources(package))]:
        if match := COPYRIGHT.search(text):
            return match[1].removeprefix("Copyright").strip()
    raise ValueError(f"{package}: nothing says whose it is")


def sources(package: Path):
    yield from sorted(package.glob("NOTICE*"))
    yield from sorted(package.glob("Sources/**/*.swift"))


def notice(package: Path) -> str:
    """The notice of a package, which goes with what it becomes a part of (section 4d of the license)."""
    file = next(iter(sorted(package.glob("NOTICE*"))), None)
    if file is None:
        return ""
    lines = [line.rstrip() for line in file.read_text().strip().splitlines()]
    return "Comment:\n" + "".join(f" {line.lstrip()}\n" if line else " .\n" for line in lines)


def copyright_file(template: Path, program: Path) -> str:
    """The template, with a paragraph for each package in the place of the line "@PACKAGES@"."""
    paragraphs = []
    for package in linked_packages(program):
        name, whose = license_of(package)
        paragraphs.append(
            f"Files: {package.name}/*\nCopyright: {whose}\nLicense: {name}\n" + (notice(package) if name == APACHE else ""))
    return template.read_text().replace("@PACKAGES@\n", "\n".join(paragraphs))
