"""``maxmargin check``: verify a certificate from scratch, without any solver."""

from __future__ import annotations

import argparse

from . import common


def add(subparsers: common.Subparsers) -> None:
    parser = common.command(
        subparsers,
        "check",
        "verify a certificate in exact or interval arithmetic; exit 1 if it does not hold",
        "maxmargin check certificate.json data/clusters.csv",
    )
    parser.add_argument("certificate", metavar="CERTIFICATE.json", help="what maxmargin margin --json wrote")
    parser.add_argument("data", metavar="DATA", help="the data it is about: a .csv or .npz file, or a built-in name")
    parser.add_argument("--directions", metavar="FILE.npz", help="the dictionary, for a certificate of scope dictionary")
    parser.add_argument("--json", metavar="FILE", help="write the verdict as JSON; - is standard output")
    parser.add_argument("--quiet", action="store_true", help="the exit status only")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..check import check_certificate, read_certificate
    from ..features.directions import load_directions

    common.check_writable(arguments.json)
    data = common.load_data(arguments)
    document = read_certificate(arguments.certificate)
    directions = load_directions(arguments.directions) if arguments.directions else None
    verdict = check_certificate(document, data.X, data.y, directions=directions)
    common.deliver(arguments, verdict.to_json, verdict.text)
    return 0 if verdict.holds else 1
