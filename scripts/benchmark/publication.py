"""Publication of the results in docs/."""

import json
from pathlib import Path

from . import chart, report
from .workloads import LISTING, READING

# The lines around the table of listings in PERFORMANCE.md.
BEGIN, END = "<!-- from here on written by scripts/bench --publish -->", "<!-- up to here -->"


def publish(docs: Path, record: dict, tables: dict[str, str]) -> None:
    """Writes `performance.json` and the chart from rows about reading, and `listing.json` and the table in PERFORMANCE.md
    from rows about listing."""
    for group, file in ((READING, "performance.json"), (LISTING, "listing.json")):
        if group in tables:
            rows = [row for row in record["rows"] if row["group"] == group]
            (docs / file).write_text(json.dumps({**record, "rows": rows}, indent=1) + "\n")
    if READING in tables:
        (docs / "performance.svg").write_text(chart.draw(record))
    if LISTING in tables:
        _replace(docs / "PERFORMANCE.md", f"{report.machine_line(record)}\n\n{tables[LISTING]}")


def _replace(page: Path, text: str) -> None:
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
