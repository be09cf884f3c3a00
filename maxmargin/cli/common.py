"""Flags and outputs that several commands share."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import atomic
from ..conventions import CONVENTIONS, WEIGHTS
from ..errors import InputError
from ..progress import Progress, reporter

LAYOUT = (
    "a .csv file (header row; label column y, label or target in any case, else the last one; all else numeric), "
    ".tsv, .npz (arrays X, y), X.npy with y.npy beside it, .svm, or a built-in name (see maxmargin datasets)"
)


def add_source(parser: argparse.ArgumentParser, nargs: str | None = None) -> None:
    """DATA, and how it is read: --label, --sep, --standardize, --name; `load_data` reads it. nargs "?": optional."""
    parser.add_argument("data", metavar="DATA", nargs=nargs, help=LAYOUT)
    parser.add_argument("--label", metavar="COLUMN", help="the label column of a .csv file")
    parser.add_argument("--sep", metavar="CHAR", help="separator of the cells (default: comma, tab, ; or |)")
    parser.add_argument(
        "--standardize", action="store_true", help="each feature minus its mean, divided by its standard deviation"
    )
    parser.add_argument("--name", help="name of the data in tables and reports (default: the file's name)")


def add_data(parser: argparse.ArgumentParser) -> None:
    """DATA and the flags for the activation, its input and the units of margins."""
    add_source(parser)
    parser.add_argument(
        "--feature", default="relu", help="activation: relu (default), squared-relu, or a registered one"
    )
    add_units(parser)
    parser.add_argument(
        "--law",
        "--weights",
        choices=WEIGHTS,
        default="sphere",
        help="distribution of the random directions of F2 (default: sphere)",
    )


def add_units(parser: argparse.ArgumentParser) -> None:
    """--no-bias, --convention."""
    parser.add_argument("--no-bias", dest="bias", action="store_false", help="z = x instead of z = (x, 1)")
    parser.add_argument(
        "--convention", choices=CONVENTIONS, default="sphere", help="unit of F1 margins (default: the paper's)"
    )


def add_limits(parser: argparse.ArgumentParser, certified: str, seconds: str, tol: str = "1e-9") -> None:
    """--tol, for what is `certified`, and --time-limit, with the help `seconds`."""
    accuracy = f"relative gap at which {certified} is certified (default {tol})"
    parser.add_argument("--tol", type=positive, default=tol, help=accuracy)
    parser.add_argument("--time-limit", type=non_negative, metavar="S", help=seconds)


def add_output(parser: argparse.ArgumentParser) -> None:
    """--seed, --json, --quiet."""
    parser.add_argument("--seed", type=natural, default=0, help="seed of everything random (default 0)")
    parser.add_argument(
        "--json", metavar="FILE", help="write the result as JSON; - is standard output, and nothing else goes there"
    )
    parser.add_argument("--quiet", action="store_true", help="no table, no progress")


def add_report(parser: argparse.ArgumentParser, written: str, quiet: str) -> None:
    """--json, which writes what is `written`, and --quiet, with that help."""
    parser.add_argument("--json", metavar="FILE", help=f"write {written}; - is standard output")
    parser.add_argument("--quiet", action="store_true", help=quiet)


def load_data(arguments: argparse.Namespace) -> Any:
    """DATA as a Dataset, read as the flags say."""
    from ..dataset import load

    return load(
        arguments.data,
        label=arguments.label,
        sep=arguments.sep,
        standardize=arguments.standardize,
        name=arguments.name,
    )


def data_lines(data: Any) -> list[str]:
    """Lines of a result's table: the data, their label column, and warnings about them."""
    return [f"data      {data.text}", *(f"note      {note}" for note in data.notes)]


def limit_named(text: str, status: str, arguments: argparse.Namespace) -> str:
    """The table `text` with a status line that names the user's own time limit where that ended the work."""
    if status != "interrupted" or arguments.time_limit is None or arguments.keyboard.pressed:
        return text
    sentence = f"{status}: stopped at your time limit of {arguments.time_limit:g} s; the bracket is valid"
    if "steps of" in text.splitlines()[-1]:  # of a run
        sentence = f"{status}: stopped at your time limit of {arguments.time_limit:g} s; what was reached is kept"
    lines = [f"status    {sentence}" if line.startswith("status ") else line for line in text.splitlines()]
    return "\n".join(lines)


def options(arguments: argparse.Namespace, names: str) -> dict[str, Any]:
    """The flags of these names, and those of every computing call, as its keyword arguments."""
    return {name: getattr(arguments, name) for name in ("bias", "convention", "seed", *names.split())}


def progress(arguments: argparse.Namespace) -> Progress:
    """Progress for a terminal; after Ctrl-C its next line ends the work, which keeps what it has."""
    shown: Progress = arguments.keyboard.stopping(reporter(arguments.quiet or arguments.json == "-"))
    return shown


def quiet_progress(arguments: argparse.Namespace) -> Progress:
    """Progress of work that is also done after Ctrl-C: drawing and writing the results so far."""
    return reporter(arguments.quiet or arguments.json == "-")


def deliver(arguments: argparse.Namespace, document: Callable[[], dict[str, Any]], text: Callable[[], str]) -> None:
    """Send the result where the flags want it."""
    if arguments.json == "-":
        sys.stdout.write(atomic.dumps(document()))
        return
    if arguments.json:
        with rescued(text):
            atomic.write_json(arguments.json, document())
    if not arguments.quiet:
        print(text())


def compared(finding: Any) -> tuple[str, str, str]:
    """Reference, measured value and tolerance of a finding or an entry of the ledger, as cells of a table."""
    reference, measured = (f"{v:.7g}" if math.isfinite(v) else "-" for v in (finding.reference, finding.measured))
    return f"{finding.relation} {reference}", measured, f"{finding.tolerance:.1e}"


@contextmanager
def rescued(text: Callable[[], str]) -> Iterator[None]:
    """Print the finished result where it cannot be written (a full disk), before the one line that says so."""
    try:
        yield
    except InputError:
        print(text())
        raise


def check_writable(path: str | None) -> None:
    """Refuse an impossible output path before the work, not after it."""
    require(path != "", "--json: found an empty name, wanted a file, or - for standard output")
    if path and path != "-":
        atomic.check_target(path)


def make_folder(argument: str, name: str) -> Path:
    """The folder that `argument` names, created if need be."""
    require(name != "", f"{argument}: found an empty name, wanted a folder")
    return atomic.make_folder(name)


def positive(text: str) -> float:
    """argparse type: a finite number > 0."""
    return _number(text, float, lambda value: value > 0 and math.isfinite(value), "a number above 0")


def non_negative(text: str) -> float:
    """argparse type: a finite number >= 0."""
    return _number(text, float, lambda value: value >= 0 and math.isfinite(value), "a number of at least 0")


def natural(text: str) -> int:
    """argparse type: an integer >= 0."""
    return _number(text, int, lambda value: value >= 0, "a whole number of at least 0")


def count(text: str) -> int:
    """argparse type: an integer >= 1."""
    return _number(text, int, lambda value: value >= 1, "a whole number of at least 1")


def _number(text: str, kind: Callable[[str], Any], valid: Callable[[Any], bool], wanted: str) -> Any:
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not valid(value):
        raise argparse.ArgumentTypeError(f"found {text!r}, wanted {wanted}")
    return value


def require(condition: bool, sentence: str) -> None:
    """Raise `InputError` with the sentence unless the condition holds."""
    if not condition:
        raise InputError(sentence)
