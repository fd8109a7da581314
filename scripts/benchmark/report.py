"""The results as tables and as JSON."""

import datetime
import os
import platform
import re
import subprocess
from pathlib import Path

from .results import LIMITS, METRICS, Results, Row
from .workloads import LISTING, READING, Target

COLUMNS = ("rate", "ratio", "per_second", "p50_ms", "p95_ms", "cpu_per_gib", "memory_mib", "requests", "fetched_mib")
# Figures shown only for rows about single operations, or only for the others. JSON has all of them.
OPERATION_ROWS = ("random", "strided", "small", "mmap")
OPERATION_COLUMNS = ("per_second", "p50_ms", "p95_ms")
STREAM_COLUMNS = ("rate", "cpu_per_gib")
LISTING_COLUMNS = ("seconds", "time_ratio", "first_ms", "listings", "heads", "gets", "cpu_seconds", "memory_over_idle_mib")


def tables(results: Results) -> dict[str, str]:
    """Returns a Markdown table, also readable as text, for each group with rows."""
    grouped = {group: [row for row in results.rows if row.workload.group == group] for group in (READING, LISTING)}
    return {group: _table(results, rows, group) for group, rows in grouped.items() if rows}


def _table(results: Results, rows: list[Row], group: str) -> str:
    columns = LISTING_COLUMNS if group == LISTING else COLUMNS
    lines = [["workload", "by", *(METRICS[name].label for name in columns), "to reach"]]
    previous = None
    for row in rows:
        title = row.workload.title if row.workload.name != previous else ""
        previous = row.workload.name
        lines.append([title, row.tool, *_cells(results, row, columns), _targets(results, row)])
    widths = [max(len(line[index]) for line in lines) for index in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines)


def _cells(results: Results, row: Row, columns: tuple[str, ...]) -> list[str]:
    compared = results.compared(row)
    hidden = STREAM_COLUMNS if row.workload.name in OPERATION_ROWS else OPERATION_COLUMNS
    return [METRICS[name].text(compared[name]) if name in compared and name not in hidden else "" for name in columns]


def _targets(results: Results, row: Row) -> str:
    """Returns the targets of a row with the figures reached, and its notes."""
    parts = [row.note] if row.note else []
    if row.tool == "tractfs":
        parts += [
            f"{METRICS[target.metric].label} {METRICS[target.metric].text(value)} ({_bound(target)}) "
            + ("✓" if is_reached else "✗")
            for target, value, is_reached in results.verdicts(row)]
    return "; ".join(parts)


def _bound(target: Target) -> str:
    return ("≤ " if target.is_maximum else "≥ ") + METRICS[target.metric].text(target.value)


def record(results: Results, versions: dict[str, str], options: dict[str, object]) -> dict:
    """Returns all measurements and the machine, for JSON."""
    return {"date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "machine": machine(),
            "versions": versions, "options": options, "rows": [_record(results, row) for row in results.rows]}


def _record(results: Results, row: Row) -> dict:
    workload = row.workload
    return {
        "workload": workload.name, "group": workload.group, "title": workload.title,
        "by": row.tool, "is_limit": row.tool in LIMITS,
        "compared_with": workload.baseline, "note": row.note, "medians": results.compared(row), "runs": row.runs,
        "targets": [
            {"metric": target.metric, "bound": target.value, "is_maximum": target.is_maximum, "value": value,
             "is_reached": is_reached} for target, value, is_reached in results.verdicts(row)]}


def machine() -> dict[str, object]:
    """Returns the machine and its system."""
    processors = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")]
    distribution = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    return {
        "processor": processors[0] if processors else platform.machine(), "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(), "distribution": distribution}


def machine_line(record: dict) -> str:
    """Returns the machine as a line of text."""
    at = record["machine"]
    return (f"{record['date'][:10]}, {at['processor']}, {at['cores']} cores, {at['memory_gib']} GiB, "
            f"{at['distribution']}, Linux {at['kernel']}; "
            + ", ".join(f"{name} {version}" for name, version in record["versions"].items()))


def version(command: list) -> str:
    """Returns the version in the output of a program: the first number with a dot."""
    finished = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"\d+\.[\d.]*\d", finished.stdout + finished.stderr)
    return found.group() if found else "unknown"
