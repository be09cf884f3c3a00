"""``maxmargin train``: one gradient-flow run."""

from __future__ import annotations

import argparse

from . import common

LAYERS = ("both", "output", "magnitudes")

HELP = "train a wide two-layer network and follow its margin"
EXAMPLE = "maxmargin train xor --layers both --width 200 --json run.json"


def add(parser: argparse.ArgumentParser) -> None:
    """The options."""
    common.add_data(parser)
    parser.add_argument("--layers", choices=LAYERS, default="both", help="which weights are trained (default both)")
    add_training(parser)
    parser.add_argument(
        "--step-size", type=common.positive, metavar="S", help="step of the schedule (default: the schedule's own)"
    )
    parser.add_argument(
        "--loss", choices=("exp", "logistic"), default="exp", help="exp (default, as in the authors' code) or logistic"
    )
    parser.add_argument(
        "--dtype", choices=("float64", "float32"), default="float64", help="precision (default float64)"
    )
    parser.add_argument("--batch-size", type=common.count, metavar="B", help="mini-batches of B points (default: all)")
    parser.add_argument("--certify-every", type=common.count, metavar="K", help="prove an upper bound every K steps")
    parser.add_argument("--time-limit", type=common.non_negative, metavar="S", help="stop after S seconds")
    common.add_output(parser)


def add_training(
    parser: argparse.ArgumentParser, steps: int = 50_000, schedule: str = "paper", init: str | None = "gaussian"
) -> None:
    """--width, --steps, --schedule, --init with these defaults."""
    parser.add_argument(
        "--width", type=common.count, default=1000, metavar="M", help="number of neurons m (default 1000)"
    )
    parser.add_argument(
        "--steps", type=common.natural, default=steps, metavar="T", help=f"number of steps (default {steps})"
    )
    parser.add_argument(
        "--schedule", default=schedule, help=f"paper, constant, loss-based, flow, theorem (default {schedule})"
    )
    stated = init or "scaled to the data"
    starts = f"gaussian, balanced or paired, :SCALE if not 1 (default {stated})"
    parser.add_argument("--init", default=init, help=starts)


def run(arguments: argparse.Namespace) -> int:
    """Train one network; print the table, write the JSON."""
    from ..training import train

    common.check_writable(arguments.json)
    data = common.load_data(arguments)
    names = "feature law layers width steps schedule step_size loss init dtype batch_size certify_every time_limit"
    result = train(data, **common.options(arguments, names), progress=common.progress(arguments))

    def text() -> str:
        return common.limit_named("\n".join([*common.data_lines(data), str(result)]), result.status, arguments)

    common.deliver(arguments, result.to_json, text)
    return 0
