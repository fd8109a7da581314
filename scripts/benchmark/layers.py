"""The layers below the mount in isolation, measured by Tests/LayerBenchmark."""

import statistics
import subprocess
from pathlib import Path

from .objects import BUCKET, GiB, LARGE, LARGE_SIZE, MODIFIED
from .server import Server


def measure(program: Path, server: Server, runs: int) -> list[dict]:
    """Returns the medians of each measurement, by layer, from the network up."""
    client = ["client", None, BUCKET, LARGE[0], str(LARGE_SIZE), f"{MODIFIED:x}-{LARGE_SIZE:x}"]
    layers: dict[str, list[tuple[float, float]]] = {}
    for _ in range(runs):
        for port, name in ((server.unlimited, "port without limits"), (server.limited, "S3-like port")):
            client[1] = port.url
            for what, figures in _run(program, client):
                layers.setdefault(f"{what}, {name}", []).append(figures)
        for what, figures in _run(program, ["reader"]):
            layers.setdefault(what, []).append(figures)
    return [
        {"layer": layer, "rate": statistics.median(rate for rate, _ in all_figures),
         "cpu_per_gib": statistics.median(cpu for _, cpu in all_figures)} for layer, all_figures in layers.items()]


def measure_listing(program: Path, runs: int) -> list[dict]:
    """Returns the medians of each step from the store's response to the kernel's reply, and the memory of entries."""
    layers: dict[str, list[dict]] = {}
    for _ in range(runs):
        for what, entries, *figures in _lines(program, ["listing"]):
            count = int(entries)
            if len(figures) == 1:
                result = {"bytes_each": int(figures[0]) / count}
            else:
                seconds, cpu = map(float, figures)
                result = {"entries_per_second": count / seconds, "cpu_per_million": cpu / count * 1e6}
            layers.setdefault(what, []).append(result)
    return [
        {"layer": what} | {figure: statistics.median(result[figure] for result in results) for figure in results[0]}
        for what, results in layers.items()]


def _run(program: Path, arguments: list[str]) -> list[tuple[str, tuple[float, float]]]:
    """Returns the results of one run: names, bytes per second, and CPU seconds per GiB."""
    return [
        (what, (int(count) / float(seconds), float(cpu) / int(count) * GiB))
        for what, count, seconds, cpu in _lines(program, arguments)]


def _lines(program: Path, arguments: list[str]) -> list[list[str]]:
    """Yields the fields of each line of the program's output."""
    output = subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in output.splitlines()]


def table(layers: list[dict]) -> str:
    """Returns the layers as a Markdown table."""
    lines = ["| layer | rate | CPU s/GiB |", "| --- | --- | --- |"]
    for layer in layers:
        lines.append(f"| {layer['layer']} | {layer['rate'] / 1e6:,.0f} MB/s | {layer['cpu_per_gib']:.2f} |")
    return "\n".join(lines)


def listing_table(layers: list[dict]) -> str:
    """Returns the layers of listing as a Markdown table."""
    lines = ["| listing | entries/s | CPU s/million | bytes an entry |", "| --- | --- | --- | --- |"]
    for layer in layers:
        if "bytes_each" in layer:
            lines.append(f"| {layer['layer']} | | | {layer['bytes_each']:.0f} |")
        else:
            lines.append(
                f"| {layer['layer']} | {layer['entries_per_second']:,.0f} | {layer['cpu_per_million']:.2f} | |")
    return "\n".join(lines)
