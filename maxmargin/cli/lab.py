"""``maxmargin lab``: another theorem, trained, solved and compared."""

from __future__ import annotations

import argparse
import math
import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from .. import text
from . import common
from .keyboard import INTERRUPTED

if TYPE_CHECKING:
    from ..labs import LabRun
    from ..progress import Progress

LISTED = ("name", "paper", "compares", "seconds")


def add(subparsers: common.Subparsers) -> None:
    """Add the subcommand and its options to the parser."""
    parser = common.command(
        subparsers,
        "lab",
        "run a laboratory: another theorem, trained, solved and compared; exit 1 if a finding fails",
        "maxmargin lab unhinged-loss --out labs",
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="a laboratory of --list, or all")
    parser.add_argument("--list", action="store_true", help="name, paper, what is compared, seconds of both scales")
    scales = "smoke: seconds (default); full: up to minutes"
    parser.add_argument("--scale", choices=("smoke", "full"), default="smoke", help=scales)
    parser.add_argument("--out", metavar="DIR", help="folder for one figure a laboratory (.png)")
    parser.add_argument("--json", metavar="FILE", help="write the findings as JSON; - is standard output")
    parser.add_argument("--quiet", action="store_true", help="the exit status only")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run laboratories; exit status 1 if a finding fails."""
    common.require(arguments.list or arguments.name is not None, "lab: found no NAME, wanted one of --list, or all")
    both = f"lab: found --list and the name {arguments.name!r}, wanted one of them"
    common.require(not (arguments.list and arguments.name), both)
    common.check_writable(arguments.json)
    out = common.make_folder("--out", arguments.out) if arguments.out is not None else None
    from .. import labs

    if arguments.list:
        found = [{key: getattr(labs.get(name), key) for key in LISTED} for name in labs.names()]
        document = {"format": "maxmargin-labs", "version": 1, "labs": found}
        rows = [(e["name"], e["paper"], e["compares"], "{:.0f} / {:.0f}".format(*e["seconds"])) for e in found]
        common.deliver(arguments, lambda: document, lambda: _wrapped(LISTED, rows, {1: 40, 2: 48}))
        return 0
    chosen = labs.names() if arguments.name == "all" else [labs.get(arguments.name).name]
    runs, interrupted = _measure(chosen, arguments.scale, out, common.progress(arguments))
    document = {"format": "maxmargin-lab", "version": 1, "labs": [run.to_json() for run in runs]}
    common.deliver(arguments, lambda: document, lambda: "\n\n".join(map(_page, runs)))
    if interrupted:
        return INTERRUPTED
    return 0 if all(run.passed for run in runs) else 1


def _measure(chosen: list[str], scale: str, out: Path | None, progress: Progress) -> tuple[list[LabRun], bool]:
    """Run and draw one after the other; Ctrl-C keeps the laboratories that are done."""
    from .. import labs
    from ..plots import save_figure

    runs: list[LabRun] = []
    try:
        for number, name in enumerate(chosen, 1):
            line = f"lab {number}/{len(chosen)}  {name}"
            progress(line)
            run = labs.lab(name, scale)
            progress(line)  # re-raises a Ctrl-C that a solver swallowed
            figure = run.figure() if out else None
            if out and figure:
                save_figure(figure, out / f"{name}.png")
            runs.append(run)
    except KeyboardInterrupt:
        return runs, True
    return runs, False


def _page(run: LabRun) -> str:
    """Title and table of one laboratory; the note of an unexpected outcome follows the sentence."""
    rows = []
    for f in run.findings:
        sentence = f.statement if f.as_expected else f"{f.statement} {f.note}"
        reference, measured = (f"{v:.7g}" if math.isfinite(v) else "-" for v in (f.reference, f.measured))
        verdict = f.verdict if not f.broken else "fails, as it must" if f.as_expected else "NOT FLAGGED"
        rows.append((f.id, sentence, f"{f.relation} {reference}", measured, f"{f.tolerance:.1e}", verdict))
    header = ("finding", "statement", "reference", "measured", "tolerance", "verdict")
    title = f"{run.lab.name}: {run.lab.paper} ({run.scale}, {run.seconds:.1f} s)"
    return f"{title}\n{_wrapped(header, rows, {1: 52})}"


def _wrapped(header: tuple[str, ...], rows: Sequence[tuple[str, ...]], widths: dict[int, int]) -> str:
    """A table whose long columns go on over several lines."""
    lines: list[tuple[str, ...]] = []
    for row in rows:
        cells = [textwrap.wrap(cell, widths.get(column, 1000)) for column, cell in enumerate(row)]
        lines += zip_longest(*cells, fillvalue="")
    return text.table(header, lines)
