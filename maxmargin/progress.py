"""Progress lines on standard error, shown only on a terminal and without --quiet."""

from __future__ import annotations

import sys
from collections.abc import Callable

# Called with one short line that replaces the last, e.g. "round 12  lower 0.0378  upper 0.0391  neurons 93".
Progress = Callable[[str], None]


def silent(line: str) -> None:
    """Discard a progress line."""


def reporter(quiet: bool = False) -> Progress:
    """A progress line on standard error when that is a terminal, else `silent`."""
    if quiet or not sys.stderr.isatty():
        return silent
    from tqdm import tqdm

    bar = tqdm(bar_format="{desc} [{elapsed}]", leave=False, file=sys.stderr)

    def show(line: str) -> None:
        bar.set_description_str(line)

    return show
