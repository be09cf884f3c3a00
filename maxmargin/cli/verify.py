"""``maxmargin verify``: the ledger of claims, each measured again."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .. import text
from . import common
from .keyboard import INTERRUPTED

if TYPE_CHECKING:
    from ..theory.ledger import Ledger

HELP = "measure the ledger of claims: theorems, propositions, closed forms; exit 1 if one fails"
EXAMPLE = "maxmargin verify --only prop9-factor"


def add(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--only", metavar="ID", action="append", help="this claim only (may be repeated)")
    common.add_report(parser, "the ledger as JSON", "the exit status only")


def run(arguments: argparse.Namespace) -> int:
    """Measure the ledger; exit status 1 if a claim fails."""
    common.check_writable(arguments.json)
    from ..verification import verify

    ledger = verify(arguments.only, common.progress(arguments))
    common.deliver(arguments, ledger.to_json, lambda: _text(ledger))
    if ledger.interrupted:
        return INTERRUPTED
    return 1 if ledger.failed else 0


def _text(ledger: Ledger) -> str:
    from ..theory.ledger import REFUTED

    header = ("claim", "statement", "reference", "measured", "tolerance", "verdict", "seconds")
    rows = []
    for entry in ledger.entries:
        said = f"{entry.statement} [{entry.source}]" + (f"\n{entry.note}" if not entry.passed else "")
        rows.append((entry.id, said, *common.compared(entry), entry.verdict, f"{entry.seconds:.1f}"))
    refuted = sum(entry.verdict == REFUTED for entry in ledger.entries)
    summary = f"{ledger.passed - refuted} stand, {refuted} refuted as printed"
    summary += f", {ledger.failed} FAIL" if ledger.failed else ""
    corrected = "; each refuted statement stands with the corrected form that holds" if refuted else ""
    summary += f" ({len(ledger.entries)} measured, {ledger.seconds:.0f} s{corrected})"
    return f"{summary}\n\n{text.table(header, rows, {1: 46})}"
