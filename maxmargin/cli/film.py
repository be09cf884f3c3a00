"""``maxmargin film``: neurons, classifier, dual potential and margin in motion."""

from __future__ import annotations

import argparse

from . import common
from .train import add_training

_PROOFS = 40  # upper ends proved along the way, where that is fast (D <= 3)


def add(subparsers: common.Subparsers) -> None:
    parser = common.command(
        subparsers,
        "film",
        "train both layers and show the neurons moving towards the solved classifier",
        "maxmargin film line:n=6,seed=1 --out film.html",
    )
    common.add_data(parser)
    parser.add_argument("--out", metavar="FILE", default="film.html", help=".html (default film.html), .gif or .mp4")
    parser.add_argument(
        "--tol", type=common.positive, default=1e-9, help="relative gap at which the margin is certified (default 1e-9)"
    )
    parser.add_argument(
        "--time-limit", type=common.non_negative, metavar="S", help="seconds for the margin, and again for the run"
    )
    add_training(parser, steps=10_000, schedule="flow")
    parser.add_argument("--seed", type=common.natural, default=0, help="seed of everything random (default 0)")
    parser.add_argument("--quiet", action="store_true", help="no progress, no closing line")
    parser.set_defaults(run=run, width=400)


def run(arguments: argparse.Namespace) -> int:
    from ..film import check_target, save
    from ..margins import max_margin
    from ..progress import reporter
    from ..text import bracket_text
    from ..training import train

    out = check_target(arguments.out)
    common.check_writable(str(out))
    dataset, options = common.load_data(arguments), common.data_options(arguments)
    progress = reporter(arguments.quiet)
    limit = arguments.time_limit
    certificate = max_margin(dataset, "f1", **options, tol=arguments.tol, time_limit=limit, progress=progress)
    flat = dataset.d + arguments.bias <= 3
    story = train(
        dataset,
        layers="both",
        **options,
        width=arguments.width,
        steps=arguments.steps,
        schedule=arguments.schedule,
        init=arguments.init,
        certify_every=max(1, arguments.steps // _PROOFS) if flat else None,
        time_limit=limit,
        progress=progress,
    )
    progress("drawing")
    save(dataset, story, certificate, out)
    if not arguments.quiet:
        print("\n".join(common.data_lines(dataset)))
        print(
            f"film: {out} (margin {story.margin_best:.6g}, proved {bracket_text(certificate.lower, certificate.upper)})"
        )
    return 0
