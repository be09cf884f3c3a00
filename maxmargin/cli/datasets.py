"""``maxmargin datasets``: the built-in data sets."""

from __future__ import annotations

import argparse

from . import common

HELP = "list the built-in data sets and their options"
EXAMPLE = "maxmargin datasets"


def add(parser: argparse.ArgumentParser) -> None:
    """The options."""
    common.add_report(parser, "as JSON", "print nothing")


def run(arguments: argparse.Namespace) -> int:
    """Print the table of built-in data."""
    from ..datasets import describe
    from ..text import table

    common.check_writable(arguments.json)
    found = [{"name": name, "options": options, "description": line} for name, options, line in describe()]
    rows = [
        (name, ",".join(f"{key}={value}" for key, value in options.items()), line) for name, options, line in describe()
    ]
    header = ("name", "options (defaults)", "what it is")
    common.deliver(arguments, lambda: {"datasets": found}, lambda: table(header, rows))
    return 0
