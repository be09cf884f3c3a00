"""``maxmargin assess``: how far a network of your own is from the limit of training."""

from __future__ import annotations

import argparse

from . import common

HELP = "the margin of a network of your own beside the certified max margin"
EXAMPLE = "maxmargin assess network.npz data.csv --json assessment.json"


def add(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "network",
        metavar="NETWORK.npz",
        help="arrays hidden (m, d), output (m,), optionally hidden_bias (m,) and output_bias; "
        "f(x) = output . relu(hidden x + hidden_bias) + output_bias",
    )
    common.add_source(parser)
    common.add_units(parser)
    common.add_limits(parser, "the max margin", "seconds for the max margin")
    common.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Assess a network; print the table, write the JSON."""
    from ..margins.assess import assess, read_network

    common.check_writable(arguments.json)
    network = read_network(arguments.network)
    data = common.load_data(arguments)
    options = common.options(arguments, "tol time_limit")
    found = assess(data, **network, **options, progress=common.progress(arguments))
    common.deliver(arguments, found.to_json, lambda: "\n".join([*common.data_lines(data), str(found)]))
    return 0
