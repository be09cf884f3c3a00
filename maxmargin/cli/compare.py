"""``maxmargin compare``: the main job."""

from __future__ import annotations

import argparse
from typing import Any

from .. import atomic
from . import common
from .train import add_training

HELP = "solve the margins, train the flows, write a report"
EXAMPLE = "maxmargin compare xor --no-bias --width 200 --steps 1000 --out report"


def add(parser: argparse.ArgumentParser) -> None:
    """The options."""
    common.add_data(parser)
    parser.add_argument(
        "--out", metavar="DIR", default="out", help="folder for comparison.json, figures and report.html (default: out)"
    )
    seconds = "seconds for each margin and each run (default: none for margins, at most 20 for each run)"
    common.add_limits(parser, "a margin", seconds)
    parser.add_argument(
        "--test-size", type=common.positive, metavar="SHARE", help="hold out this share of each class, e.g. 0.25"
    )
    parser.add_argument("--test", metavar="FILE", help="measure accuracies on this second file too")
    add_training(parser, steps=1000, schedule="flow", init=None)
    common.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Solve, train, print the table and write the report."""
    from ..comparison import compare

    common.check_writable(arguments.json)
    out = atomic.check_folder(arguments.out)
    comparison = compare(
        common.load_data(arguments),
        **common.options(arguments, "feature law width steps schedule init tol time_limit test_size"),
        test=_test_data(arguments),
        progress=common.progress(arguments),
    )
    shown = common.quiet_progress(arguments)
    shown("drawing the figures, writing the report")
    with common.rescued(comparison.table):
        report = comparison.save(out)
    del shown  # ends its line
    common.deliver(arguments, comparison.to_json, lambda: f"{comparison.table()}\n\nreport: {report}")
    return 0


def _test_data(arguments: argparse.Namespace) -> Any:
    """The second file, read like the first; `compare` converts its units."""
    from ..dataset import load

    if arguments.test is None:
        return None
    table = arguments.test.lower().endswith((".csv", ".tsv"))
    options = {"label": arguments.label, "sep": arguments.sep} if table else {}
    return load(arguments.test, **options)
