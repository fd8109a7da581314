"""The results: figures of a run, their medians, and comparisons with targets."""

import statistics
from dataclasses import dataclass, field

from .mounts import Usage
from .objects import GiB, MiB
from .readers import Work
from .server import Traffic
from .workloads import READING, Target, Workload


@dataclass(frozen=True)
class Metric:
    """The format of a figure."""

    label: str
    digits: int
    unit: str = ""
    scale: float = 1

    def text(self, value: float) -> str:
        return f"{value / self.scale:,.{self.digits}f}{self.unit}"


# All figures of a row by their names in the JSON.
METRICS = {
    "seconds": Metric("time", 2, " s"),
    "rate": Metric("rate", 0, " MB/s", 1e6),
    "per_second": Metric("operations a second", 0, "/s"),
    "ratio": Metric("of the limit", 2),
    "time_ratio": Metric("× the limit's time", 2),
    "p50_ms": Metric("p50", 1, " ms"),
    "p95_ms": Metric("p95", 1, " ms"),
    "cpu_per_gib": Metric("CPU s/GiB", 2),
    "cpu_seconds": Metric("CPU", 2, " s"),
    "memory_mib": Metric("memory", 0, " MiB"),
    "memory_over_idle_mib": Metric("over idle", 1, " MiB"),
    "bytes_each": Metric("memory an entry", 0, " B"),
    "first_ms": Metric("first entry", 1, " ms"),
    "requests": Metric("requests", 0),
    "gets": Metric("GETs", 0),
    "heads": Metric("HEADs", 0),
    "listings": Metric("LISTs", 0),
    "fetched_mib": Metric("fetched", 1, " MiB"),
    "fetched_ratio": Metric("fetched/read", 3),
    "fetched_mib_each": Metric("fetched an operation", 2, " MiB"),
}


def figures(workload: Workload, seconds: float, work: Work) -> dict[str, float]:
    """Returns the figures of a run that follow from the work of the readers."""
    passed = work.operations * workload.bytes_passed if workload.bytes_passed else work.bytes
    made = {
        "seconds": seconds, "read_mib": work.bytes / MiB, "rate": passed / seconds,
        "per_second": work.operations / seconds}
    if work.latencies:
        made["p50_ms"] = statistics.median(work.latencies) * 1_000
        made["p95_ms"] = statistics.quantiles(work.latencies, n=20)[-1] * 1_000
    if work.first_seconds is not None:
        made["first_ms"] = work.first_seconds * 1_000
    return made


def server_figures(traffic: Traffic, work: Work) -> dict[str, float]:
    """Returns the figures of a run that follow from the server's log."""
    return {
        "requests": traffic.requests, "gets": traffic.gets, "heads": traffic.heads, "listings": traffic.listings,
        "fetched_mib": traffic.bytes / MiB, "fetched_ratio": traffic.bytes / max(work.bytes, 1),
        "fetched_mib_each": traffic.bytes / MiB / max(work.operations, 1)}


def process_figures(idle: Usage, before: Usage, after: Usage, work: Work) -> dict[str, float]:
    """Returns the figures of a run that follow from the resources of the serving process; idle is the state after mounting."""
    cpu_seconds = after.cpu_seconds - before.cpu_seconds
    grown = after.memory_peak - idle.memory
    return {
        "cpu_seconds": cpu_seconds, "cpu_per_gib": cpu_seconds / max(work.bytes, 1) * GiB,
        "memory_mib": after.memory_peak / MiB, "memory_over_idle_mib": grown / MiB,
        "bytes_each": grown / max(work.operations, 1)}


@dataclass
class Row:
    """One workload by one tool or limit: its runs, and their medians."""

    workload: Workload
    tool: str
    runs: list[dict[str, float]] = field(default_factory=list)
    # The reason why figures are missing or doubtful.
    note: str = ""

    @property
    def medians(self) -> dict[str, float]:
        names = {name for run in self.runs for name in run}
        return {name: statistics.median(run[name] for run in self.runs if name in run) for name in names}


class Results:
    """All rows measured so far."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def row(self, workload: Workload, tool: str) -> Row:
        for row in self.rows:
            if row.workload.name == workload.name and row.tool == tool:
                return row
        self.rows.append(Row(workload, tool))
        return self.rows[-1]

    def compared(self, row: Row) -> dict[str, float]:
        """Returns the medians of a row, and their ratios to its limit."""
        medians = row.medians
        limit = self.limit(row)
        if medians and limit:
            if row.workload.group == READING:
                medians["ratio"] = medians[row.workload.compared] / limit[row.workload.compared]
            medians["time_ratio"] = medians["seconds"] / limit["seconds"]
        return medians

    def limit(self, row: Row) -> dict[str, float]:
        """Returns the medians of a row's limit: of the same tool in another row, or of the limit in this one."""
        for other in self.rows:
            if row.workload.baseline:
                is_limit = other.workload.name == row.workload.baseline and other.tool == row.tool
            else:
                is_limit = other.workload.name == row.workload.name and other.tool in LIMITS and row.tool not in LIMITS
            if is_limit:
                return other.medians
        return {}

    def verdicts(self, row: Row) -> list[tuple[Target, float, bool]]:
        """Returns each target with known figures: the figure, and `True` if it reaches the target."""
        compared = self.compared(row)
        judged = []
        for target in row.workload.targets:
            if target.metric in compared:
                value = compared[target.metric]
                judged.append((target, value, target.is_reached(value)))
        return judged


CURL, NATIVE = "curl", "native"
LIMITS = (CURL, NATIVE)
