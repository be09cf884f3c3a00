"""Server-sent events: what happens is handed to every page that listens; a slow page gets the latest of each kind."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from typing import Any

from . import limits

Events = Generator[tuple[str, dict[str, Any]] | None, None, None]


class Hub:
    """The open streams; thread-safe.

    Parameters
    ----------
    close_after : seconds without any open stream, once there has been one, after which `deserted` is true;
        0 for never.
    """

    def __init__(self, close_after: float) -> None:
        self._changed = threading.Condition()
        self._waiting: list[dict[str, Any]] = []
        self._close_after = close_after
        self._left: float | None = None  # since when nobody has listened; None before anybody has
        self._closed = False

    def publish(self, kind: str, content: dict[str, Any]) -> None:
        """Hand over an event; of those that a page has not fetched yet it replaces the last of its kind."""
        with self._changed:
            for waiting in self._waiting:
                waiting.pop(kind, None)
                waiting[kind] = content
            self._changed.notify_all()

    def listen(self, beat: float) -> Events:
        """Events for one page, and None after every `beat` seconds without any; ends when the hub closes.

        Raises
        ------
        BlockingIOError : as many pages listen as may.
        """
        waiting: dict[str, Any] = {}
        with self._changed:
            if len(self._waiting) >= limits.MAX_LISTENERS:
                raise BlockingIOError("too many pages are open")
            self._waiting.append(waiting)
        return self._events(waiting, beat)

    def _events(self, waiting: dict[str, Any], beat: float) -> Events:
        try:
            while not self._closed:
                with self._changed:
                    if not waiting:
                        self._changed.wait(beat)
                    events = list(waiting.items())
                    waiting.clear()
                if not events:
                    yield None
                yield from events
        finally:
            with self._changed:
                self._waiting[:] = [other for other in self._waiting if other is not waiting]
                if not self._waiting:
                    self._left = time.monotonic()

    @property
    def unheard(self) -> float:
        """Seconds since the last page left; 0 while one listens or before the first."""
        with self._changed:
            return 0.0 if self._waiting or self._left is None else time.monotonic() - self._left

    @property
    def deserted(self) -> bool:
        """Whether the last page has been closed for long enough."""
        return 0 < self._close_after < self.unheard

    def close(self) -> None:
        """End all streams."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
