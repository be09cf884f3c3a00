"""``maxmargin assess``: how far a network of your own is from the limit of training."""

from __future__ import annotations

import argparse

from ..conventions import CONVENTIONS
from . import common


def add(subparsers: common.Subparsers) -> None:
    """Add the subcommand and its options to the parser."""
    parser = common.command(
        subparsers,
        "assess",
        "the margin of a network of your own beside the certified max margin",
        "maxmargin assess network.npz data.csv --json assessment.json",
    )
    parser.add_argument(
        "network",
        metavar="NETWORK.npz",
        help="arrays hidden (m, d), output (m,), optionally hidden_bias (m,) and output_bias; "
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
    """Assess a network; print the table, write the JSON."""
    from ..margins.assess import assess, read_network

    common.check_writable(arguments.json)
    network = read_network(arguments.network)
    data = common.load_data(arguments)
    found = assess(
        data,
        **network,
        bias=arguments.bias,
        convention=arguments.convention,
        tol=arguments.tol,
        time_limit=arguments.time_limit,
        seed=arguments.seed,
        progress=common.progress(arguments),
    )
    common.deliver(arguments, found.to_json, lambda: "\n".join([*common.data_lines(data), str(found)]))
    return 0
