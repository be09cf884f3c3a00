"""The teaching scripts as gallery examples: percent-format cells become docstrings and comment blocks."""

from __future__ import annotations

import re
from pathlib import Path

HEADER = """Gallery
=======

Six scripts that teach the idea step by step. Each runs as it stands. Each page offers the script and a notebook.
"""


def prepare(docs: Path) -> Path:
    """Write every `experiments/teaching/*.py` in the gallery's format into `docs/_gallery`; return that folder."""
    target = docs / "_gallery"
    target.mkdir(exist_ok=True)
    _write(target / "README.rst", HEADER)
    for script in sorted((docs.parent / "experiments" / "teaching").glob("*.py")):
        _write(target / script.name, convert(script.read_text(encoding="utf-8")))
    return target


def convert(source: str) -> str:
    """A script with `# %% [markdown]` cells in the form that the gallery reads."""
    cells = re.split(r"^# %%", source, flags=re.M)
    head, blocks = "", []
    for cell in cells[1:]:
        if cell.startswith(" [markdown]"):
            text = restructured([line.removeprefix("#").removeprefix(" ") for line in cell.splitlines()[1:]])
            if head:
                blocks.append("# %%\n" + "\n".join(f"# {line}".rstrip() for line in text))
            else:
                head = '"""\n' + "\n".join(text).strip() + '\n"""\n'
        else:
            blocks.append(cell.lstrip("\n"))
    return head + "\n" + "\n\n".join(blocks)


def restructured(lines: list[str]) -> list[str]:
    """The little Markdown that the scripts use: headings, code spans, emphasis, indented blocks, bullets."""
    out: list[str] = []
    for line in lines:
        heading = re.match(r"(#+) (.*)", line)
        if heading:
            title = re.sub(r"`([^`]+)`", r"\1", heading[2])
            out += [title, ("=" if len(heading[1]) == 1 else "-") * len(title)]
        elif line.startswith("    ") and (not out or not out[-1].strip()) and not _in_block(out):
            out += ["::", "", line]
        elif line.startswith("    "):
            out.append(line)
        else:
            out.append(line)
    return _code_spans(out)


def _code_spans(lines: list[str]) -> list[str]:
    """`a` becomes ``a`` outside indented blocks; a span may go on in the next line."""
    out = []
    for line in lines:
        if line.startswith("    ") or not line.strip():
            out.append(line)
            continue
        parts = re.split("(`+)", line)
        out.append("".join("``" if part == "`" else part for part in parts))
    return out


def _in_block(lines: list[str]) -> bool:
    """Whether the last written line that is not empty belongs to an indented block."""
    written = [line for line in lines if line.strip()]
    return bool(written) and written[-1].startswith("    ")


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:  # an unchanged file keeps its cached output
        path.write_text(text, encoding="utf-8")
