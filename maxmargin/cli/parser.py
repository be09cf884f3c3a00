"""The argument parser: one module per subcommand, one line per usage error."""

from __future__ import annotations

import argparse
from typing import NoReturn

from .. import __version__
from ..errors import InputError
from . import assess, check, compare, doctor, film, lab, margin, norm, play, reproduce, train, verify

COMMANDS = (compare, margin, train, check, assess, norm, reproduce, verify, lab, film, play, doctor)


class Parser(argparse.ArgumentParser):
    """argparse whose errors are `InputError`, hence one line and exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Raise `InputError` with the message and where to find help."""
        raise InputError(f"{message}; see {self.prog} --help")


def build_parser() -> Parser:
    """The whole command line."""
    parser = Parser(
        prog="maxmargin", description="Certified max margins of wide two-layer networks, and the flows that reach them."
    )
    parser.add_argument("--version", action="version", version=f"maxmargin {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(subparsers)
    return parser
