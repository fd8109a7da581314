"""Manual pages (mdoc), from the declarations of the program's commands and from packaging/manual.mdoc.

The declarations give each command's name, synopsis, description, arguments and options. packaging/manual.mdoc has the other
sections, after comments that name their page (`.\\" PAGE tractfs-mount(1)`, or `PAGE *` for every page without such a
section), and pages that don't belong to a command.
"""

import re
import textwrap
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

# The order of sections that mandoc requires.
ORDER = ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "SEE ALSO", "NOTES"]
SEE_ALSO = "SEE ALSO"
PAGE = re.compile(r'^\.\\" PAGE (\*|(?P<name>[a-z.-]+)\((?P<section>\d)\))$')
INSERTED_OPTIONS = '.\\" INSERT options of mount'
REFERENCE = re.compile(r"^\.Xr (\S+) (\d)")
UNIVERSAL = "*"
LINE_LENGTH = 78


@dataclass
class Page:
    name: str
    section: str = "1"
    # Lines of mdoc by the title of their section.
    sections: dict[str, list[str]] = field(default_factory=dict)

    @property
    def file_name(self) -> str:
        return f"{self.name}.{self.section}"

    def text(self, date: datetime) -> str:
        day = f"{date:%B} {date.day}, {date.year}"
        lines = [f".Dd {day}", f".Dt {self.name.upper()} {self.section}", ".Os"]
        for title in sorted(self.sections, key=order_of):
            lines += [f".Sh {title}", *self.sections[title]]
        return "\n".join(lines) + "\n"


def order_of(title: str) -> int:
    if title not in ORDER:
        raise ValueError(f"manual: unknown section {title}; the sections are {', '.join(ORDER)}")
    return ORDER.index(title)


# MARK: Text as mdoc

def symbols(text: str) -> str:
    """Escapes all characters with a meaning in mdoc, except dashes."""
    text = text.replace("\\", "\\e").replace("~", "\\(ti").replace("^", "\\(ha").replace("`", "\\(ga")
    return "".join(c if ord(c) < 128 else f"\\[u{ord(c):04X}]" for c in text)


def typed(text: str) -> str:
    """Escapes text to type: with ASCII dashes and quotes instead of hyphens and apostrophes."""
    return symbols(text).replace("-", "\\-").replace("'", "\\(aq")


def prose(text: str) -> str:
    """Escapes text to read; options in it keep their dashes."""
    return re.sub(r"(?<![\w-])--?[a-zA-Z][\w-]*", lambda match: match.group().replace("-", "\\-"), symbols(text))


def line(text: str) -> str:
    """Escapes a line so that it isn't a macro."""
    return ("\\&" if text.startswith((".", "'")) else "") + text


def word(text: str) -> str:
    """Escapes an argument of a macro."""
    text = typed(text).replace('"', "\\(dq")
    return f'"{text}"' if " " in text else text


def sentences(text: str) -> list[str]:
    """Returns text with each sentence on its own lines, as mdoc requires, none of them long."""
    parts = re.split(r"(?<=[.!?])\s+(?=[A-Z\"~])", " ".join(text.split()))
    return [line(each) for part in parts for each in wrapped(prose(part))]


def wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, LINE_LENGTH, break_long_words=False, break_on_hyphens=False)


def literal(lines: list[str]) -> list[str]:
    return [".Bd -literal -offset indent", *(line(typed(text)) for text in lines), ".Ed"]


def paragraphs(text: str) -> list[str]:
    """Returns a command's discussion; indented text is literal."""
    blocks: list[tuple[bool, list[str]]] = []
    for raw in text.rstrip().split("\n"):
        is_literal = raw.startswith("  ") or (not raw and blocks and blocks[-1][0])
        if not blocks or blocks[-1][0] != is_literal or (not raw and not is_literal):
            blocks.append((is_literal, []))
        if raw or is_literal:
            blocks[-1][1].append(raw[2:] if is_literal else raw)
    lines: list[str] = []
    for is_literal, content in blocks:
        while content and not content[-1]:
            content.pop()
        if not content:
            continue
        if not is_literal and lines:
            lines.append(".Pp")
        lines += literal(content) if is_literal else sentences(" ".join(content))
    return lines


# MARK: Declarations of commands

def flags(names: list[dict]) -> str:
    """Returns flags like "-h , --help"; Fl itself writes one of the dashes."""
    return " , ".join("Fl " + word(("-" if name["kind"] == "long" else "") + name["name"]) for name in names)


def described(argument: dict) -> list[str]:
    text = (argument.get("abstract") or "").rstrip()
    if values := argument.get("allValues"):
        text += f" One of: {', '.join(values)}."
    if (default := argument.get("defaultValue")) and "(default:" not in text:
        text += f" Default: {default}."
    return sentences(text) + (paragraphs(argument["discussion"]) if argument.get("discussion") else [])


def items(arguments: list[dict]) -> list[str]:
    """Arguments as a list; the two forms of a flag as one item."""
    lines = [".Bl -tag -width Ds"]
    names = {name["name"] for argument in arguments for name in argument.get("names", [])}
    for argument in arguments:
        if argument["kind"] == "positional":
            lines.append(f".It Ar {word(argument['valueName'])}")
        else:
            first = argument["names"][-1]["name"]
            if first.startswith("no-") and first[3:] in names:
                continue
            head = ".It " + flags(argument["names"])
            if f"no-{first}" in names:
                head += f" | Fl {word('-no-' + first)}"
            if argument["kind"] == "option":
                head += f" Ar {word(argument['valueName'])}"
            lines.append(head)
        lines += described(argument)
    return [*lines, ".El"]


def shown(command: dict, *kinds: str) -> list[dict]:
    return [a for a in command.get("arguments", []) if a["shouldDisplay"] and a["kind"] in kinds]


def subcommands(command: dict) -> list[dict]:
    return [c for c in command.get("subcommands", []) if c["shouldDisplay"] and c["commandName"] != "help"]


def words_of(command: dict) -> list[str]:
    return [*command.get("superCommands", []), command["commandName"]]


def synopsis(command: dict) -> list[str]:
    words = words_of(command)
    lines = [f".Nm {words[0]}" + "".join(f" Cm {name}" for name in words[1:])]
    if subcommands(command):
        return [*lines, ".Ar command", ".Op Ar argument ..."]
    lines.append(".Op Ar option ...")
    for argument in shown(command, "positional"):
        dots = " ..." if argument["isRepeating"] else ""
        lines.append((".Op Ar " if argument["isOptional"] else ".Ar ") + word(argument["valueName"]) + dots)
    return lines


def description(command: dict) -> list[str]:
    lines = paragraphs(command.get("discussion") or command["abstract"])
    groups: dict[str, list[dict]] = {}
    if positionals := shown(command, "positional"):
        groups["Arguments"] = positionals
    for argument in shown(command, "option", "flag"):
        groups.setdefault(argument.get("sectionTitle") or "Options", []).append(argument)
    # The options of all commands come last.
    if others := groups.pop("Options", None):
        groups["Options"] = others
    for title, arguments in groups.items():
        lines += [f".Ss {prose(title)}", *items(arguments)]
    return lines


def page(command: dict) -> Page:
    abstract = command["abstract"].rstrip(".")
    made = Page("-".join(words_of(command)))
    made.sections["NAME"] = [f".Nm {made.name}", f".Nd {prose(abstract[0].lower() + abstract[1:])}"]
    made.sections["SYNOPSIS"] = synopsis(command)
    made.sections["DESCRIPTION"] = description(command)
    if below := subcommands(command):
        lines = [".Bl -tag -width Ds"]
        for each in below:
            lines += [f".It Xr {'-'.join(words_of(each))} 1", *sentences(each["abstract"])]
        made.sections["COMMANDS"] = [*lines, ".El"]
    return made


def walk(command: dict):
    yield command
    for below in subcommands(command):
        yield from walk(below)


# MARK: Hand-written sections

def written(path: Path) -> dict[str, Page]:
    """Returns the pages and sections of packaging/manual.mdoc, by the names of the pages."""
    pages: dict[str, Page] = {}
    current: Page | None = None
    title = None
    for number, text in enumerate(path.read_text().splitlines(), 1):
        if match := PAGE.match(text):
            name = match["name"] or UNIVERSAL
            current = pages.setdefault(name, Page(name, match["section"] or "1"))
            title = None
        elif current is not None and text.startswith(".Sh "):
            title = text[4:]
            current.sections[title] = []
        elif title is not None and current is not None:
            current.sections[title].append(text)
        elif not text.startswith('.\\"'):
            raise ValueError(f"{path}:{number}: text outside of a section")
    return pages


def options_as_list(mount: dict) -> list[str]:
    """Returns the options of mount in the form of -o."""
    lines = [".Bl -item -compact"]
    for option in shown(mount, "option", "flag"):
        name = next((n["name"] for n in option["names"] if n["kind"] == "long"), None)
        if name is None or name in ("help", "version"):
            continue
        value = f" Ns = Ns Ar {word(option['valueName'])}" if option["kind"] == "option" else ""
        lines += [".It", f".Cm {name.replace('-', '_')}{value}"]
    return [*lines, ".El"]


# MARK: All pages

def see_also(page: Page, command: dict | None, pages: list[Page], extra: list[str]) -> list[str]:
    """Returns references to the pages named, to related commands, and the hand-written ones."""
    references = {match.groups() for text in extra if (match := REFERENCE.match(text))}
    if command is not None:
        text = " ".join(" ".join(lines) for lines in page.sections.values())
        for other in pages:
            spoken = other.name.replace("-", " ")
            is_above = page.name.startswith(other.name + "-")
            is_below = other.name.startswith(page.name + "-")
            if other is not page and (is_above or is_below or re.search(rf'"{spoken}["\s]|\b{spoken}"', text)):
                references.add((other.name, other.section))
    references.discard((page.name, page.section))
    ordered = sorted(references, key=lambda reference: (reference[1], reference[0]))
    return [f".Xr {name} {section}{' ,' if (name, section) != ordered[-1] else ''}" for name, section in ordered]


def pages(declarations: dict, hand_written: Path) -> list[Page]:
    commands = {"-".join(words_of(command)): command for command in walk(declarations["command"])}
    hand = written(hand_written)
    universal = hand.pop(UNIVERSAL, Page(UNIVERSAL))
    made = [page(command) for command in commands.values()]
    made += [hand[name] for name in hand if name not in commands]
    for each in made:
        extra = hand.get(each.name, universal).sections
        for title, lines in universal.sections.items():
            if each.name in commands:
                each.sections.setdefault(title, lines)
        if each.name in commands:
            each.sections |= {title: lines for title, lines in extra.items()}
        inserted = options_as_list(commands["tractfs-mount"])
        for title, lines in each.sections.items():
            each.sections[title] = [
                text for raw in lines for text in (inserted if raw == INSERTED_OPTIONS else [raw])]
    for each in made:
        hand_written_references = each.sections.pop(SEE_ALSO, [])
        if lines := see_also(each, commands.get(each.name), made, hand_written_references):
            each.sections[SEE_ALSO] = lines
    return made


def write(declarations: dict, hand_written: Path, folder: Path, time: int) -> list[Path]:
    """Writes all pages into man1 and man8 of a folder, and returns their paths."""
    date = datetime.fromtimestamp(time, timezone.utc)
    paths = []
    for each in pages(declarations, hand_written):
        path = folder / f"man{each.section}" / each.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(each.text(date))
        paths.append(path)
    return paths
