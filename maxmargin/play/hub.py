"""Server-sent events for every open page; a slow page gets only the latest event of each kind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from . import limits

Take = Callable[[float], list[tuple[str, Any]] | None]


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
        self._left: float | None = None  # time since which no page listens; None before the first page
        self._closed = False

    def publish(self, kind: str, content: dict[str, Any]) -> None:
        """Send an event to every page; it replaces an earlier event of its kind that a page has not fetched yet."""
        with self._changed:
            for waiting in self._waiting:
                waiting.pop(kind, None)
                waiting[kind] = content
            self._changed.notify_all()

    @contextmanager
    def listen(self) -> Iterator[Take]:
        """Register a page: yields a function that waits some seconds for events; None when the hub has closed.

        Raises
        ------
        BlockingIOError : the largest number of pages listens already.
        """
        waiting: dict[str, Any] = {}
        with self._changed:
            if len(self._waiting) >= limits.MAX_LISTENERS:
                raise BlockingIOError("too many pages are open")
            self._waiting.append(waiting)
        try:
            yield lambda seconds: self._take(waiting, seconds)
        finally:
            with self._changed:
                self._waiting[:] = [other for other in self._waiting if other is not waiting]
                if not self._waiting:
                    self._left = time.monotonic()

    def _take(self, waiting: dict[str, Any], seconds: float) -> list[tuple[str, Any]] | None:
        with self._changed:
            if not waiting and not self._closed:
                self._changed.wait(seconds)
            events = list(waiting.items())
            waiting.clear()
            return None if self._closed else events

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
