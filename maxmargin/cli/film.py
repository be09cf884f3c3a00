"""``maxmargin film``: neurons, classifier, dual potential and margin in motion."""

from __future__ import annotations

import argparse

from ..progress import reporter
from ..text import lower_text
from . import common
from .train import add_training

HELP = "train both layers and show the neurons moving towards the solved classifier"
EXAMPLE = "maxmargin film line:n=6,seed=1 --out film.html"


def add(parser: argparse.ArgumentParser) -> None:
    """The options."""
    common.add_data(parser)
    parser.add_argument("--out", metavar="FILE", default="film.html", help=".html (default film.html), .gif or .mp4")
    common.add_limits(parser, "the margin", "seconds for the margin, and again for the run")
    add_training(parser, steps=1000, schedule="flow")
    parser.add_argument("--seed", type=common.natural, default=0, help="seed of everything random (default 0)")
    parser.add_argument("--quiet", action="store_true", help="no progress, no summary")
    parser.set_defaults(width=400)


def run(arguments: argparse.Namespace) -> int:
    """Solve, train and write the film."""
    from ..film import check_target, film
    from ..text import bracket_text

    out = check_target(arguments.out)
    common.check_writable(str(out))
    dataset = common.load_data(arguments)
    progress = reporter(arguments.quiet)
    options = common.options(arguments, "feature tol time_limit width steps schedule init")
    moving = film(dataset, **options, progress=progress)
    progress("drawing the film")
    bracket = bracket_text(moving.certificate.lower, moving.certificate.upper)
    reached = f"margin {lower_text(moving.run.margin_best)}, proved {bracket}"
    with common.rescued(lambda: reached):
        moving.save(out)
    del progress  # ends its line
    if not arguments.quiet:
        print("\n".join(common.data_lines(dataset)))
        print(f"film: {out} ({reached})")
    return 0
