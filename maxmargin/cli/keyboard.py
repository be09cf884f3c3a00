"""Ctrl-C: the first ends the work and keeps what it has, the second ends the process at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from ..progress import Progress

INTERRUPTED = 130  # exit status, as of a shell


@dataclass
class Keyboard:
    """Whether Ctrl-C was pressed during this command."""

    pressed: bool = False

    def stopping(self, progress: Progress) -> Progress:
        """The same progress; after Ctrl-C its next line ends the work, and results so far are kept."""

        def show(line: str) -> None:
            if self.pressed:
                raise KeyboardInterrupt
            progress(line)

        return show


@contextmanager
def watched() -> Iterator[Keyboard]:
    """Record Ctrl-C, which still raises `KeyboardInterrupt`; a handler of other code stays in place."""
    keyboard = Keyboard()
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield keyboard
        return

    def first(number: int, frame: Any) -> NoReturn:
        keyboard.pressed = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C ends the process at once, also in compiled code
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, first)
    try:
        yield keyboard
    finally:
        signal.signal(signal.SIGINT, before)
