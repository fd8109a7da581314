"""The locale data of ICU, which Foundation brings along, for English only: a tenth of its size."""

import re
import struct

# Locales other than English, converters between character sets, and dictionaries for breaking lines.
UNUSED = re.compile(r"(?!(?:en|en_US|en_001|en_US_POSIX|res_index)\.res$)[a-z]{2,3}(?:_\w+)?\.res|.*\.(?:cnv|dict)")
ALIGNMENT = 16


def english(data: bytes) -> bytes:
    """Returns a package (format CmnD of ICU) without the items that `UNUSED` matches."""
    header_size, = struct.unpack_from("<H", data)
    if data[12:16] != b"CmnD":
        raise ValueError("ICU's data don't have the format CmnD")
    contents = data[header_size:]
    count, = struct.unpack_from("<I", contents)
    entries = [struct.unpack_from("<II", contents, 4 + 8 * index) for index in range(count)]
    ends = [offset for _, offset in entries[1:]] + [len(contents)]
    kept: list[tuple[bytes, bytes]] = []
    for (name_offset, offset), end in zip(entries, ends):
        name = contents[name_offset:contents.index(b"\0", name_offset)]
        if not UNUSED.fullmatch(name.decode().rpartition("/")[2]):
            kept.append((name, contents[offset:end]))
    return data[:header_size] + packed(kept)


def packed(items: list[tuple[bytes, bytes]]) -> bytes:
    """Returns the table of contents and the items, which must be sorted by name."""
    names = bytearray()
    name_offsets = []
    start = 4 + 8 * len(items)
    for name, _ in items:
        name_offsets.append(start + len(names))
        names += name + b"\0"
    body = bytearray()
    base = -(-(start + len(names)) // ALIGNMENT) * ALIGNMENT
    table = bytearray(struct.pack("<I", len(items)))
    for name_offset, (_, item) in zip(name_offsets, items):
        table += struct.pack("<II", name_offset, base + len(body))
        body += item + bytes(-len(item) % ALIGNMENT)
    return bytes((table + names).ljust(base, b"\0") + body)
