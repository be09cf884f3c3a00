"""``maxmargin check``: verify a certificate from scratch, without any solver."""

from __future__ import annotations

import argparse
import math
from dataclasses import asdict, replace
from typing import Any

from .. import atomic
from ..progress import reporter
from . import common

_LONG = 3.0  # seconds from which the expected time of a check is shown

HELP = "verify a certificate in exact or interval arithmetic; exit 1 if it does not hold"
EXAMPLE = "maxmargin margin xor --json certificate.json && maxmargin check certificate.json xor"


def add(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "certificate", metavar="CERTIFICATE.json", help="what maxmargin margin --json or maxmargin norm --json wrote"
    )
    common.add_source(parser)
    parser.add_argument(
        "--directions", metavar="FILE.npz", help="the dictionary, for a certificate of scope dictionary"
    )
    parser.add_argument(
        "--time-limit",
        type=common.non_negative,
        metavar="S",
        default=600.0,
        help="seconds after which the verdict is 'not settled', exit status 1 (default 600)",
    )
    common.add_report(parser, "the verdict as JSON", "the exit status only")


def run(arguments: argparse.Namespace) -> int:
    """Check a certificate; exit status 1 if it does not hold."""
    from ..check import check_certificate
    from ..features.directions import load_directions

    common.check_writable(arguments.json)
    document = atomic.read_object(arguments.certificate)
    X, y = _data(document, arguments)
    bias = isinstance(document.get("problem"), dict) and document["problem"].get("bias", True)
    directions = load_directions(arguments.directions, X.shape[1] + bool(bias)) if arguments.directions else None
    shown = reporter(arguments.quiet)
    shown(f"checking {arguments.certificate} in exact arithmetic{_expected(document)}")
    verdict = check_certificate(document, X, y, directions=directions, time_limit=arguments.time_limit)
    del shown  # ends its line
    told = replace(verdict, reason=verdict.reason + _units(verdict, document, arguments.standardize))
    common.deliver(
        arguments, lambda: {"format": "maxmargin-verdict", "version": 1, **asdict(verdict)}, lambda: str(told)
    )
    return 0 if verdict.holds else 1


def _data(document: dict[str, Any], arguments: argparse.Namespace) -> tuple[Any, Any]:
    """Points and labels; points and real targets for a norm."""
    from ..check.norm import FORMAT
    from ..targets import read_targets

    if document.get("format") == FORMAT:
        return read_targets(arguments.data, arguments.label, arguments.sep, arguments.standardize)
    data = common.load_data(arguments)
    return data.X, data.y


def _expected(document: dict[str, Any]) -> str:
    """The expected time, for the progress line; nothing when it is short or not known."""
    from ..check.cost import expected_cost

    seconds = expected_cost(document).seconds
    return f", about {seconds:.0f} s expected" if _LONG <= seconds < math.inf else ""


def _units(verdict: Any, document: dict[str, Any], standardized: bool) -> str:
    """A hint when the data are not those of the certificate: a flag that is missing or superfluous."""
    problem = document.get("problem")
    if verdict.holds or not isinstance(problem, dict) or verdict.checks[-1].name != "data":
        return ""
    stated = problem.get("standardized") is True
    if stated == standardized:
        return ""
    return "; add --standardize" if stated else "; the certificate belongs to the raw data: leave --standardize out"
