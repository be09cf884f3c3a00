"""Progress lines on standard error, shown only on a terminal and without --quiet."""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

# Called with one short line that replaces the last, e.g. "round 12, estimated gap 3.1e-04, 93 neurons".
Progress = Callable[[str], None]
_SECOND = 1.0  # seconds between two refreshes of the elapsed time


def silent(line: str) -> None:
    """Discard a progress line."""


def reporter(quiet: bool = False) -> Progress:
    """A progress line on standard error when that is a terminal, else `silent`; it ends when it is no longer held."""
    if quiet or not sys.stderr.isatty():
        return silent
    from tqdm import tqdm

    bar = tqdm(bar_format="{desc} [{elapsed}]", leave=False, file=sys.stderr)
    threading.Thread(target=_tick, args=(weakref.ref(bar),), daemon=True).start()

    def show(line: str) -> None:
        bar.set_description_str(line)

    return show


def _tick(reference: Callable[[], Any]) -> None:
    """Refresh the elapsed time once a second while the bar exists: a long step shows that it still runs."""
    while (bar := reference()) is not None:
        if bar.desc:
            bar.refresh()
        del bar
        time.sleep(_SECOND)
