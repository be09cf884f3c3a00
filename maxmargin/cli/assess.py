"""``maxmargin assess``: how far a network of one's own is from the limit of training."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..conventions import CONVENTIONS
from ..text import bracket_text
from . import common

if TYPE_CHECKING:
    from ..margins.assess import Assessment


def add(subparsers: common.Subparsers) -> None:
    parser = common.command(
        subparsers,
        "assess",
        "the margin of a network of your own beside the certified max margin",
        "maxmargin assess network.npz data.csv --json assessment.json",
    )
    parser.add_argument(
        "network",
        metavar="NETWORK.npz",
        help="arrays hidden (m, d), output (m,), perhaps hidden_bias (m,) and output_bias; "
        "f(x) = output . relu(hidden x + hidden_bias) + output_bias",
    )
    common.add_source(parser)
    parser.add_argument("--no-bias", dest="bias", action="store_false", help="z = x instead of z = (x, 1)")
    parser.add_argument(
        "--convention", choices=CONVENTIONS, default="sphere", help="unit of margins (default: the paper's)"
    )
    parser.add_argument(
        "--tol", type=common.positive, default=1e-9, help="relative gap at which the max margin is certified"
    )
    parser.add_argument("--time-limit", type=common.non_negative, metavar="S", help="seconds for the max margin")
    common.add_output(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..margins.assess import assess, read_network

    common.check_writable(arguments.json)
    network = read_network(arguments.network)
    found = assess(
        common.load_data(arguments),
        **network,
        bias=arguments.bias,
        convention=arguments.convention,
        tol=arguments.tol,
        time_limit=arguments.time_limit,
        seed=arguments.seed,
        progress=common.progress(arguments),
    )
    common.deliver(arguments, found.to_json, lambda: _text(found))
    return 0


def _text(found: Assessment) -> str:
    reference = found.reference
    limit = bracket_text(reference.lower, reference.upper)
    if found.raw_margin <= 0.0:
        reached = "nothing: the network does not separate the data"
    elif found.fraction_of_upper is None or found.fraction_of_lower is None:
        reached = "a share that is not known: the reference has no positive lower end"
    else:
        reached = f"{100 * found.fraction_of_upper:.4g} % to {100 * found.fraction_of_lower:.4g} % of the max margin"
    return "\n".join(
        [
            f"margin    {found.margin:.9g}   (least y f(x) = {found.raw_margin:.6g} over the norm {found.norm:.6g})",
            f"by mass   {found.margin_mass:.9g}   imbalance of the layers {found.imbalance:.2g}",
            f"neurons   {found.active} active, {found.dead} positive on no point",
            f"limit     {limit}   ({reference.scope}, {reference.status.value})",
            f"reaches   {reached}",
            f"proves    no margin is above {found.own_upper:.9g}, from the network's own soft-min weights",
        ]
    )
