"""``maxmargin norm``: the smallest norm of a network that takes given real values."""

from __future__ import annotations

import argparse

from ..conventions import NORMS
from . import common

HELP = "the smallest norm of a function that takes the values of the label column, as a proved bracket"
EXAMPLE = "maxmargin norm xor --norm f1 --json norm.json"


def add(parser: argparse.ArgumentParser) -> None:
    """The options."""
    common.add_data(parser)
    parser.add_argument("--norm", choices=NORMS, default="f1", help="f1 (default), f2 or ntk")
    parser.add_argument(
        "--tube", type=common.non_negative, default=0.0, metavar="E", help="largest distance from a value (default 0)"
    )
    common.add_limits(parser, "the norm", "seconds", tol="1e-6")
    common.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Certify a smallest norm; print the table, write the JSON."""
    from ..margins.min_norm import min_norm
    from ..targets import read_targets

    common.check_writable(arguments.json)
    found = min_norm(
        read_targets(arguments.data, arguments.label, arguments.sep, arguments.standardize),
        arguments.norm,
        **common.options(arguments, "tube feature law tol time_limit"),
        progress=common.progress(arguments),
    )
    common.deliver(arguments, found.to_json, lambda: str(found))
    return 0
