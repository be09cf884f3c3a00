"""``maxmargin margin``: one certified margin."""

from __future__ import annotations

import argparse

from ..conventions import NORMS
from . import common

HELP = "one max margin as a proved bracket"
EXAMPLE = "maxmargin margin xor --norm f1 --json certificate.json"


def add(parser: argparse.ArgumentParser) -> None:
    """The options."""
    common.add_data(parser)
    parser.add_argument("--norm", choices=NORMS, default="f1", help="f1 (variation norm, default), f2 (RKHS) or ntk")
    parser.add_argument(
        "--directions", metavar="FILE.npz", help="restrict F1 to these neurons, rows of an array (K, D)"
    )
    parser.add_argument(
        "--nu",
        type=common.positive,
        metavar="V",
        help="soft margin: the mean of the worst fraction V of the margins, 0 < V <= 1 (default: the least margin)",
    )
    parser.add_argument("--solver", default="auto", help="auto (default), highs, clarabel, scs, osqp, nnls")
    common.add_limits(parser, "the margin", "seconds; F1 keeps tightening until then")
    parser.add_argument(
        "--max-rounds", type=common.natural, metavar="K", help="at most this many rounds of column generation"
    )
    parser.add_argument(
        "--no-self-check",
        dest="self_check",
        action="store_false",
        help="issue the certificate without a check by the referee (maxmargin check)",
    )
    common.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Certify one margin; print the table, write the JSON."""
    from ..comparison_table import conflict_text
    from ..features.directions import load_directions
    from ..margins import max_margin

    common.check_writable(arguments.json)
    data = common.load_data(arguments)
    directions = load_directions(arguments.directions, data.d + arguments.bias) if arguments.directions else None
    certificate = max_margin(
        data,
        arguments.norm,
        **common.options(arguments, "feature law nu solver tol time_limit max_rounds self_check"),
        directions=directions,
        progress=common.progress(arguments),
    )

    def text() -> str:
        lines = [*common.data_lines(data), str(certificate)]
        if certificate.status.value == "not-separable":
            lines.append(f"rows      {conflict_text(data, certificate)}")
        return common.limit_named("\n".join(lines), certificate.status.value, arguments)

    common.deliver(arguments, certificate.to_json, text)
    return 0
