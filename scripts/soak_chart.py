#!/usr/bin/env python3
"""Draws the measurements of scripts/soak over time.

    soak_chart.py OUTPUT.svg NAME=TABLE.csv...
"""

import csv
import sys

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402: the backend must be chosen first

FIGURES = {
    "resident_bytes": ("resident memory (MiB)", 1 << 20),
    "descriptors": ("descriptors", 1),
    "threads": ("threads", 1),
}


def read(path: str) -> dict[str, list[float]]:
    """Returns the columns of a table by their names."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in ("seconds", *FIGURES)}


def main() -> None:
    output, *arguments = sys.argv[1:]
    tables = {name: read(path) for name, path in (argument.split("=", 1) for argument in arguments)}
    figure, plots = pyplot.subplots(len(FIGURES), 1, sharex=True, figsize=(9, 8), layout="constrained")
    for plot, (column, (title, unit)) in zip(plots, FIGURES.items()):
        for name, table in tables.items():
            plot.plot([s / 60 for s in table["seconds"]], [v / unit for v in table[column]], label=name, linewidth=0.8)
        plot.set_ylabel(title)
        plot.set_ylim(bottom=0)
    plots[0].legend()
    plots[-1].set_xlabel("minutes")
    figure.savefig(output)


if __name__ == "__main__":
    main()
