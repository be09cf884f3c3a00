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
        """The same progress, but whatever still runs after Ctrl-C ends at its first line, with what it has."""

        def show(line: str) -> None:
            if self.pressed:
                raise KeyboardInterrupt
            progress(line)

        return show


@contextmanager
def watched() -> Iterator[Keyboard]:
    """Notice Ctrl-C, which still arrives as `KeyboardInterrupt`; where somebody else handles it, leave it to them."""
    keyboard = Keyboard()
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield keyboard
        return

    def first(number: int, frame: Any) -> NoReturn:
        keyboard.pressed = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second one need not wait for compiled code to return
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, first)
    try:
        yield keyboard
    finally:
        signal.signal(signal.SIGINT, before)
