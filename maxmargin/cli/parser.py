"""The argument parser: one module per subcommand, one line per usage error.

A module of this folder with `HELP`, `EXAMPLE`, `add` (its options) and `run` is a subcommand of its name; there is no
list of them to keep.
"""

from __future__ import annotations

import argparse
import pkgutil
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from .. import __version__
from ..errors import InputError

FIRST = "compare margin train check assess norm reproduce verify lab film play datasets doctor"  # then by name


class Parser(argparse.ArgumentParser):
    """argparse whose errors are `InputError`, hence one line and exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Raise `InputError` with the message and where to find help."""
        raise InputError(f"{message}; see {self.prog} --help")


def commands() -> list[ModuleType]:
    """The subcommands, in the order of the help."""
    names = {module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])}
    first = [name for name in FIRST.split() if name in names]
    ordered = first + sorted(names.difference(first))
    modules = [import_module(f".{name}", __package__) for name in ordered]
    return [module for module in modules if hasattr(module, "add")]


def build_parser() -> Parser:
    """The whole command line."""
    parser = Parser(
        prog="maxmargin", description="Certified max margins of wide two-layer networks, and the flows that reach them."
    )
    parser.add_argument("--version", action="version", version=f"maxmargin {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in commands():
        command = subparsers.add_parser(
            module.__name__.rpartition(".")[2],
            help=module.HELP,
            description=f"{module.HELP[0].upper()}{module.HELP[1:]}.",
            epilog=f"example:\n  {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add(command)
        command.set_defaults(run=module.run)
    return parser
