"""The playground without HTTP: one solver, one checker, one trainer, and the streams of the pages.

A stream is one page's server-sent events; a slow page gets only the latest event of each kind.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..conventions import NORMS
from ..dataset import Dataset
from ..errors import InputError
from . import limits, training
from .requests import Regression, Solve, Train, choice, drawn, from_csv, preset
from .worker import STALE, Desk, Process

COMMANDS = ("pause", "resume", "step", "stop")
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


class Trainer:
    """One run at a time in its own process; frames and ends go to the hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._number, self._active = 0, False

    def start(self, request: Train) -> int:
        """Begin a run, which ends the one before; its number."""
        with self._lock:
            process = self._running()
            if self._active:
                self._hub.publish("end", {"run": self._number, "status": "superseded"})
            self._number, self._active = self._number + 1, True
            process.send(("start", self._number, request))
            return self._number

    def prepare(self) -> None:
        """Load the modules of the process."""
        with self._lock:
            self._running()

    def _running(self) -> Process:
        if self._process is None or not self._process.alive:
            self._end()
            self._process = Process(training.attend, self._hear, "maxmargin trainer")
        return self._process

    def command(self, command: str) -> bool:
        """Pause, resume, step or stop the present run; False when there is none."""
        with self._lock:
            if self._process is None or not self._active:
                return False
            self._process.send((command, self._number, None))
            return True

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def close(self) -> None:
        """End the training process."""
        with self._lock:
            self._end()

    def _hear(self, message: Any) -> None:
        if message is None:
            if self._process is not None and not self._process.alive and self._active:
                self._active = False
                self._hub.publish("end", {"run": self._number, "status": "interrupted"})
            return
        kind, content = message
        if content["run"] != self._number:
            return
        if kind == "end":
            self._active = False
        self._hub.publish(kind, content)


class Playground:
    """The requests of the page and their answers, as plain JSON.

    Parameters
    ----------
    data : the points to begin with, or None.
    close_after : see `Hub`.
    """

    def __init__(self, data: Dataset | None, close_after: float) -> None:
        self.data = data
        self.hub = Hub(close_after)
        self._solver, self._checker = Desk("maxmargin solver"), Desk("maxmargin checker")
        self._trainer = Trainer(self.hub)
        self._shown: dict[str, Any] = {}  # norm -> certificate and points of the last answer
        self._hash = ""  # of the points that they are about

    def start(self) -> None:
        """Load the modules of the processes before the first request."""
        self._solver.start()
        self._trainer.prepare()

    def close(self) -> None:
        """End the processes and the streams."""
        self.hub.close()
        for part in (self._solver, self._checker, self._trainer):
            part.close()

    def tick(self) -> None:
        """Called regularly: ends a run when no page listens."""
        if self.hub.unheard > limits.UNHEARD_SECONDS:
            self._trainer.command("stop")

    def config(self) -> dict[str, Any]:
        """The settings that the page needs when it is loaded."""
        start = {"points": [], "classes": ["-1", "+1"]} if self.data is None else drawn(self.data)
        return start | {
            "name": "" if self.data is None else str(self.data.name),
            "limits": {"points": limits.MAX_POINTS, "width": limits.MAX_WIDTH, "coordinate": limits.MAX_COORDINATE},
        }

    def answer(self, route: str, document: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to a POST request, None for an unknown route.

        Raises
        ------
        InputError : the request is invalid.
        """
        routes = {
            "solve": self._solve,
            "cancel": lambda _: {"cancelled": self._solver.cancel()},
            "check": self._check,
            "norm": self._norm,
            "train": lambda asked: {"run": self._trainer.start(Train.read(asked))},
            "control": lambda asked: {"running": self._trainer.command(choice(asked, "command", COMMANDS))},
            "preset": preset,
            "csv": from_csv,
        }
        return routes[route](document) if route in routes else None

    def _solve(self, document: dict[str, Any]) -> dict[str, Any]:
        request = Solve.read(document)
        found = self._solver.ask("solve", request, request.time_limit * len(request.norms))
        if "certificates" in found:
            shown = {norm: found["data"] | {"certificate": c} for norm, c in found["certificates"].items()}
            same = request.data.sha256 == self._hash
            self._shown, self._hash = (self._shown | shown if same else shown), request.data.sha256
        return _public(found)

    def _norm(self, document: dict[str, Any]) -> dict[str, Any]:
        request = Regression.read(document)
        return _public(self._solver.ask("norm", request, 2 * request.time_limit))

    def _check(self, document: dict[str, Any]) -> dict[str, Any]:
        norm = choice(document, "norm", tuple(NORMS))
        if norm not in self._shown:
            raise InputError(f"check: found no certificate of {norm}, wanted one; solve first")
        return _public(self._checker.ask("check", self._shown[norm], limits.CHECK_SECONDS))


def _public(found: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = found if found is STALE else found["answer"]
    return answer
