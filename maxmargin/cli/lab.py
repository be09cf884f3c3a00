"""``maxmargin lab``: another theorem, trained, solved and compared."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .. import text
from . import common
from .keyboard import INTERRUPTED

if TYPE_CHECKING:
    from ..labs import Lab, LabRun

LISTED = ("name", "paper", "compares", "seconds")

HELP = "run a laboratory: another theorem, trained, solved and compared; exit 1 if a finding fails"
EXAMPLE = "maxmargin lab unhinged-loss --out labs"


def add(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="a laboratory of --list, or all")
    parser.add_argument("--list", action="store_true", help="name, paper, what is compared, seconds of both scales")
    scales = "smoke: seconds (default); full: up to minutes"
    parser.add_argument("--scale", choices=("smoke", "full"), default="smoke", help=scales)
    parser.add_argument("--out", metavar="DIR", help="folder for one figure a laboratory (.png)")
    common.add_report(parser, "the findings as JSON", "the exit status only")


def run(arguments: argparse.Namespace) -> int:
    """Run laboratories; exit status 1 if a finding fails."""
    common.require(arguments.list or arguments.name is not None, "lab: found no NAME, wanted one of --list, or all")
    both = f"lab: found --list and the name {arguments.name!r}, wanted one of them"
    common.require(not (arguments.list and arguments.name), both)
    common.check_writable(arguments.json)
    out = common.make_folder("--out", arguments.out) if arguments.out is not None else None
    from .. import labs
    from ..plots import save_figure
    from ..theory.ledger import in_turn

    chosen = [labs.get(name) for name in (labs.names() if arguments.name in (None, "all") else [arguments.name])]
    if arguments.list:
        return _list(arguments, chosen)

    def measure(lab: Lab) -> LabRun:
        run = lab.measure(arguments.scale)
        if out and (figure := run.figure()):
            save_figure(figure, out / f"{lab.name}.png")
        return run

    runs, interrupted = in_turn("lab", chosen, measure, common.progress(arguments))
    document = {"format": "maxmargin-lab", "version": 1, "labs": [run.to_json() for run in runs]}
    common.deliver(arguments, lambda: document, lambda: "\n\n".join(map(_page, runs)))
    if interrupted:
        return INTERRUPTED
    return 0 if all(run.passed for run in runs) else 1


def _list(arguments: argparse.Namespace, chosen: list[Lab]) -> int:
    """Name, paper, what is compared, seconds."""
    found = [{key: getattr(lab, key) for key in LISTED} for lab in chosen]
    document = {"format": "maxmargin-labs", "version": 1, "labs": found}
    rows = [(e["name"], e["paper"], e["compares"], "{:.0f} / {:.0f}".format(*e["seconds"])) for e in found]
    common.deliver(arguments, lambda: document, lambda: text.table(LISTED, rows, {1: 40, 2: 48}))
    return 0


def _page(run: LabRun) -> str:
    """Title and table of one laboratory; the note of an unexpected outcome follows the sentence."""
    rows = []
    for f in run.findings:
        sentence = f.statement if f.as_expected else f"{f.statement} {f.note}"
        verdict = f.verdict if not f.broken else "fails, as it must" if f.as_expected else "NOT FLAGGED"
        rows.append((f.id, sentence, *common.compared(f), verdict))
    header = ("finding", "statement", "reference", "measured", "tolerance", "verdict")
    title = f"{run.lab.name}: {run.lab.paper} ({run.scale}, {run.seconds:.1f} s)"
    return f"{title}\n{text.table(header, rows, {1: 52})}"
