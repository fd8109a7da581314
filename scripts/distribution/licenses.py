"""Copyright holders and licenses of the program: Debian's machine-readable copyright file."""

import re
from pathlib import Path

APACHE, SWIFT, EXPAT = "Apache-2.0", "Apache-2.0-with-Swift-exception", "Expat"
COPYRIGHT = re.compile(r"^[\s/*#]*(Copyright (?:\([cC]\)|©)?\s*\d{4}.*?)\.?$", re.MULTILINE)


def linked_packages(program: Path) -> list[Path]:
    """Returns the checkouts of all linked packages, from the linker's list of objects."""
    objects = program.parent / "tractfs.product" / "Objects.LinkFileList"
    checkouts = next((each / "checkouts" for each in program.parents if (each / "checkouts").is_dir()), None)
    if not objects.exists() or checkouts is None:
        raise ValueError(
            f"{program} is not in its build folder, which has the licenses; give the path that swift build prints")
    modules = sorted(set(re.findall(r"/(\w+)\.build/", objects.read_text())))
    found = {checkout for module in modules if (checkout := checkout_of(module, program.parent, checkouts))}
    return sorted(found)


def checkout_of(module: str, build: Path, checkouts: Path) -> Path | None:
    """Returns the checkout with a module's sources; `None` for our own modules."""
    sources = build / f"{module}.build" / "sources"
    if sources.exists():
        match = re.search(r"/checkouts/([^/]+)/", sources.read_text())
        return checkouts / match[1] if match else None
    return next((checkouts / path.relative_to(checkouts).parts[0] for path in checkouts.glob(f"*/Sources/{module}")), None)


def license_of(package: Path) -> tuple[str, str]:
    """Returns the name of a package's license, and the copyright holder."""
    file = next((file for pattern in ("LICENSE*", "LICENCE*") for file in sorted(package.glob(pattern))), None)
    if file is None:
        raise ValueError(f"{package} has no LICENSE; add its license to scripts/distribution/licenses.py")
    text = file.read_text()
    return name_of(text, file), holder(package, text)


def name_of(text: str, source: object) -> str:
    """Returns the name of a license with this text."""
    if "Apache License" in text:
        return SWIFT if "Runtime Library Exception" in text else APACHE
    if "Permission is hereby granted, free of charge" in text:
        return EXPAT
    raise ValueError(f"{source}: unknown license; add it to scripts/distribution/licenses.py")


def holder(package: Path, license_text: str) -> str:
    """Returns the copyright holder, from the license or the sources."""
    for text in [license_text, *(file.read_text(errors="replace") for file in sources(package))]:
        if match := COPYRIGHT.search(text):
            return match[1].removeprefix("Copyright").strip()
    raise ValueError(f"{package}: no copyright holder found in the license or the sources")


def sources(package: Path):
    yield from sorted(package.glob("NOTICE*"))
    yield from sorted(package.glob("Sources/**/*.swift"))


def notice(package: Path) -> str:
    """Returns the notice of a package, which derived works must include (section 4d of the license)."""
    file = next(iter(sorted(package.glob("NOTICE*"))), None)
    if file is None:
        return ""
    lines = [line.rstrip() for line in file.read_text().strip().splitlines()]
    return "Comment:\n" + "".join(f" {line.lstrip()}\n" if line else " .\n" for line in lines)


def copyright_file(template: Path, program: Path) -> str:
    """Returns the template with a paragraph for each package in place of the line "@PACKAGES@"."""
    paragraphs = []
    for package in linked_packages(program):
        name, whose = license_of(package)
        paragraphs.append(
            f"Files: {package.name}/*\nCopyright: {whose}\nLicense: {name}\n" + (notice(package) if name == APACHE else ""))
    return template.read_text().replace("@PACKAGES@\n", "\n".join(paragraphs))
