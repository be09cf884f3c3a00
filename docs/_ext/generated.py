"""Directives whose content is read from the package at build time, so that a page cannot fall behind the code."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from typing import Any

import docstrings
import notebooks
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class _Generated(SphinxDirective):
    """Parses the reStructuredText that `lines` returns, in place."""

    has_content = False
    optional_arguments = 1

    def lines(self) -> Iterable[str]:
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        return list(self.parse_text_to_nodes("\n".join(self.lines()), allow_section_headings=True))


class Commands(_Generated):
    """Every subcommand with its `--help`, one section each."""

    def lines(self) -> Iterable[str]:
        import os

        os.environ["COLUMNS"] = "88"
        from maxmargin.cli.parser import build_parser

        for name, parser in subcommands(build_parser()).items():
            title = f"maxmargin {name}"
            yield from (f".. _command-{name}:", "", title, "-" * len(title), "", ".. code-block:: text", "")
            yield from (f"   {line}".rstrip() for line in parser.format_help().splitlines())
            yield ""


class Claims(_Generated):
    """The ledger: id, statement and source of every claim."""

    def lines(self) -> Iterable[str]:
        from maxmargin.theory.claims import CLAIMS

        yield from _table(("claim", "statement", "source"), ((f"`{c.id}`", c.statement, c.source) for c in CLAIMS))


class Datasets(_Generated):
    """Every built-in data set with its options."""

    def lines(self) -> Iterable[str]:
        from maxmargin.datasets.registry import describe

        rows = ((f"`{d.name}`", ", ".join(f"{k}={v}" for k, v in d.options.items()), d.summary) for d in describe())
        yield from _table(("name", "options and defaults", "what it is"), rows)


class Laboratories(_Generated):
    """Every laboratory: name, paper, what is compared."""

    def lines(self) -> Iterable[str]:
        from maxmargin import labs

        rows = ((f"`{name}`", labs.get(name).paper, labs.get(name).compares) for name in labs.names())
        yield from _table(("laboratory", "paper", "what is compared"), rows)


class Symbols(_Generated):
    """One API entry for every public name."""

    def lines(self) -> Iterable[str]:
        import maxmargin as mm

        for title, wanted in (("Functions", False), ("Classes", True)):
            yield from (title, "-" * len(title), "")
            for name in mm.__all__:
                value = getattr(mm, name)
                if callable(value) and isinstance(value, type) == wanted:
                    yield from (f".. auto{'class' if wanted else 'function'}:: maxmargin.{name}", "")


class Notebook(_Generated):
    """One executed notebook, named by the argument."""

    required_arguments = 1

    def lines(self) -> Iterable[str]:
        return notebooks.page(self.arguments[0])


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Name -> parser of every subcommand."""
    (group,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return dict(group.choices)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterable[str]:
    yield from (".. list-table::", "   :header-rows: 1", "   :class: wide", "")
    for row in (head, *rows):
        for k, cell in enumerate(row):
            yield f"   {'* -' if k == 0 else '  -'} {_plain(cell)}"
    yield ""


def _plain(cell: str) -> str:
    """A cell on one line; what is not a code span is taken literally."""
    parts = re.split(r"(`[^`]+`)", " ".join(str(cell).split()))
    parts[::2] = [re.sub(r"([*|_\\\\])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def setup(app: Sphinx) -> dict[str, Any]:
    for name, directive in {
        "maxmargin-commands": Commands,
        "maxmargin-claims": Claims,
        "maxmargin-datasets": Datasets,
        "maxmargin-labs": Laboratories,
        "maxmargin-api": Symbols,
        "maxmargin-notebook": Notebook,
    }.items():
        app.add_directive(name, directive)
    app.connect("autodoc-process-docstring", docstrings.process)
    return {"version": "1", "parallel_read_safe": True}
