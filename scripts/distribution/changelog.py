"""CHANGELOG.md, which has a section for each version: ## 0.1.0 (2026-12-31), or (unreleased) before its tag."""

import re
from pathlib import Path


def check(file: Path, base: str, is_tagged: bool) -> None:
    """Checks that a version has a section with entries and, at its tag, a date."""
    for heading, text in sections(file.read_text()):
        version, _, date = heading.partition(" ")
        if version != base:
            continue
        if not re.search(r"^- \S", text, re.MULTILINE):
            raise ValueError(f"{file}: the section of {base} is empty")
        if is_tagged and not re.fullmatch(r"\(\d{4}-\d\d-\d\d\)", date):
            raise ValueError(f"{file}: give {base} its date: ## {base} (YEAR-MONTH-DAY)")
        return
    raise ValueError(f"{file} has no section of {base}; add ## {base} (unreleased)")


def sections(text: str) -> list[tuple[str, str]]:
    """Returns headings and texts."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2]))
