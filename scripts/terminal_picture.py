#!/usr/bin/env python3
"""Draws the text of a terminal from standard input as SVG: lines that begin with "$ " are commands."""

import re
import sys
from html import escape

LINE_HEIGHT, CHARACTER_WIDTH, MARGIN = 19, 8.0, 16
COLUMN_COUNT_MAX = 110
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
STYLE = """\
rect { fill: #1d2128 } text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #c9d1d9; \
white-space: pre } .prompt { fill: #7ee787 } .command { fill: #ffffff; font-weight: bold }"""


def shown(text):
    """Returns the lines as they remain on the screen: of a line that was written again and again, the last state."""
    for line in CONTROL.sub("", text).replace("\r\n", "\n").splitlines():
        last = [part for part in line.split("\r") if part.strip()]
        yield (last[-1] if last else "").rstrip()[:COLUMN_COUNT_MAX]


def drawn(lines):
    width = max(map(len, lines)) * CHARACTER_WIDTH + 2 * MARGIN
    height = len(lines) * LINE_HEIGHT + 2 * MARGIN
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}">'
    yield f'<title>A session in a terminal</title>\n<style>{STYLE}</style>\n<rect width="100%" height="100%" rx="8"/>'
    for number, line in enumerate(lines):
        text = escape(line)
        if line.startswith("$ "):
            text = f'<tspan class="prompt">$</tspan><tspan class="command">{text[1:]}</tspan>'
        y = MARGIN + 14 + number * LINE_HEIGHT
        # The width holds whatever font there is.
        length = f' textLength="{len(line) * CHARACTER_WIDTH:.0f}" lengthAdjust="spacingAndGlyphs"' if line else ""
        yield f'<text x="{MARGIN}" y="{y}"{length} xml:space="preserve">{text}</text>'
    yield "</svg>"


def main():
    lines = list(shown(sys.stdin.read()))
    sys.stdout.write("".join(f"{line}\n" for line in drawn(lines)))


if __name__ == "__main__":
    main()
