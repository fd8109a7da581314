"""A chart of the results: the share of the limit that each file system reaches, by workload. Hand-written SVG."""

from html import escape

WIDTH, LABEL_WIDTH, VALUE_WIDTH = 860, 300, 130
BAR, GAP, GROUP_GAP, TOP = 14, 3, 14, 64
# Readable on white and on black, and with color blindness (Okabe and Ito's palette).
COLORS = {"tractfs": "#0072b2", "s3fs": "#e69f00", "rclone": "#009e73"}


def draw(record: dict) -> str:
    """Returns the chart of a record (report.record): rows with a limit, in their order."""
    groups = _groups(record)
    bars = _Bars()
    for title, rows in groups:
        bars.add_group(title, rows)
    return bars.svg(_subtitle(record))


def _groups(record: dict) -> list[tuple[str, list[dict]]]:
    """Returns the rows with a limit by workload, except those whose limit is another row of the tool."""
    groups: dict[str, list[dict]] = {}
    for row in record["rows"]:
        if not row["is_limit"] and not row["compared_with"] and "ratio" in row["medians"]:
            groups.setdefault(row["title"], []).append(row)
    return list(groups.items())


def _subtitle(record: dict) -> str:
    at, runs = record["machine"], record["options"]["runs"]
    return (f"{at['cores']} cores ({at['processor']}), loopback, Linux {at['kernel'].split('-')[0]}, "
            f"{record['date'][:10]}, medians of {runs} run{'s' if runs > 1 else ''}")


class _Bars:
    """A chart that grows downward."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._y = TOP

    def add_group(self, title: str, rows: list[dict]) -> None:
        middle = self._y + (len(rows) * (BAR + GAP) - GAP) / 2
        self._text(LABEL_WIDTH - 10, middle + 4, title, anchor="end")
        for row in rows:
            self._bar(row)
            self._y += BAR + GAP
        self._y += GROUP_GAP

    def _bar(self, row: dict) -> None:
        ratio = row["medians"]["ratio"]
        # A ratio above 1 is noise in the measurement of the limit, or not comparable: the bar ends at the edge.
        length = max(2.0, min(ratio, 1.0) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH))
        self._parts.append(
            f'<rect x="{LABEL_WIDTH}" y="{self._y}" width="{length:.1f}" height="{BAR}" rx="2" '
            f'fill="{COLORS[row["by"]]}"/>')
        self._text(LABEL_WIDTH + length + 6, self._y + BAR - 3, f"{ratio:.2f} ({_speed(row)})", size=11)

    def _text(
            self, x: float, y: float, text: str, anchor: str = "start", size: int = 12, weight: str = "normal") -> None:
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}">'
            f"{escape(text)}</text>")

    def svg(self, subtitle: str) -> str:
        bottom = self._y - GROUP_GAP
        self._text(10, 22, "Reading through a mount, as a share of what the machine can do", size=15, weight="bold")
        self._text(10, 40, f"1.0 is curl -Z with 64 connections, or the local disk for warm reads. {subtitle}", size=11)
        for index, (tool, color) in enumerate(COLORS.items()):
            x = WIDTH - 220 + index * 75
            self._parts.append(f'<rect x="{x}" y="13" width="10" height="10" rx="2" fill="{color}"/>')
            self._text(x + 14, 22, tool)
        full = WIDTH - VALUE_WIDTH
        self._parts.append(
            f'<line x1="{full}" y1="{TOP - 6}" x2="{full}" y2="{bottom + 2}" stroke="#888" stroke-dasharray="3 3"/>')
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{bottom + 12}" '
            f'viewBox="0 0 {WIDTH} {bottom + 12}" font-family="sans-serif" fill="#222">\n'
            '<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(self._parts) + "\n</svg>\n")


def _speed(row: dict) -> str:
    medians = row["medians"]
    if row["workload"] == "small":
        return f"{medians['per_second']:,.0f} files/s"
    return f"{medians['rate'] / 1e9:.2f} GB/s" if medians["rate"] >= 1e8 else f"{medians['rate'] / 1e6:.0f} MB/s"
