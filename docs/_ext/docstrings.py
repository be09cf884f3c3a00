"""Docstrings of this package as reStructuredText: `name : text` sections become definition lists, |a| stays a norm."""

from __future__ import annotations

import re
from typing import Any

SECTIONS = ("Parameters", "Attributes", "Returns", "Raises", "Yields", "Notes", "Examples", "References", "See Also")
LISTS = ("Parameters", "Attributes", "Returns", "Raises", "Yields")


def process(*event: Any) -> None:
    """Sphinx calls this for every docstring, and takes what is left in its last argument, the lines."""
    lines: list[str] = event[-1]
    lines[:] = _escape_bars(_sections(lines))


def _sections(lines: list[str]) -> list[str]:
    out: list[str] = []
    k = 0
    while k < len(lines):
        title = lines[k].strip()
        if title in SECTIONS and k + 1 < len(lines) and set(lines[k + 1].strip()) == {"-"}:
            body, k = _body(lines, k + 2)
            out += ["", f".. rubric:: {title}", "", *(_entries(body) if title in LISTS else body), ""]
        else:
            out.append(lines[k])
            k += 1
    return out


def _body(lines: list[str], start: int) -> tuple[list[str], int]:
    """Lines of a section: up to the next title."""
    end = start
    while end < len(lines):
        if lines[end].strip() in SECTIONS and end + 1 < len(lines) and set(lines[end + 1].strip()) == {"-"}:
            break
        end += 1
    return lines[start:end], end


def _entries(body: list[str]) -> list[str]:
    """`name : text`, with lines that go on indented, as a definition list."""
    out: list[str] = []
    for line in body:
        found = re.match(r"^(\S[^:]*?) : (.*)$", line)
        if found:
            out += ["", *_entry(found[1], found[2])]
        elif line.startswith(" ") and out:
            text = line.strip()
            if text[:1].isupper() and out[-1].startswith("    (type) "):
                out[-1] = f"    *{_plain(out[-1][11:])}.*"
            out.append(f"    {text}")
        else:
            out.append(line)
    return [re.sub(r"^    \(type\) ", "    ", line) for line in out]


def _plain(text: str) -> str:
    return text.replace("`", "").replace("*", "")


def _entry(names: str, text: str) -> list[str]:
    """One or more names (comma separated); a line may hold a second entry after two spaces."""
    first, *others = re.split(r"\.  (?=\w[\w, ]* : )", text)
    term = ", ".join(f"``{name.strip()}``" for name in names.split(","))
    out = [term, f"    {'' if first.endswith('.') else '(type) '}{first}"]
    for other in others:
        name, _, rest = other.partition(" : ")
        out += ["", *_entry(name, rest)]
    return out


def _escape_bars(lines: list[str]) -> list[str]:
    """Escape bars outside code spans and literal blocks: |a| would be a substitution."""
    block, out = -1, []  # indentation of the paragraph that opened a literal block; -1 outside
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if block >= 0 and line.strip() and indent <= block:
            block = -1
        if block < 0:
            parts = re.split(r"(`+[^`]+`+)", line)
            parts[::2] = [part.replace("|", "\\|") for part in parts[::2]]
            line = "".join(parts)
            if line.rstrip().endswith("::"):
                block = indent
        out.append(line)
    return out
