"""One process that does one job at a time; the latest request wins, a superseded one stops at its next progress line.

The process sees that it is superseded because the next request waits in its pipe. A job without a progress line
for too long is killed, and a new process takes over.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from ..errors import InputError, SolverError
from ..progress import Progress
from . import limits

_CROWD = 8  # requests that may wait unread in the pipe of a process
STALE: dict[str, Any] = {"stale": True}  # the answer to a request that a later one has superseded


class Superseded(Exception):
    """A later request waits: stop this one."""


def attend(connection: Connection) -> None:
    """The process of a `Desk`: take a job, do it, answer, until the other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server handles Ctrl-C and then closes the pipe
    from threadpoolctl import threadpool_limits

    from .jobs import JOBS, first

    connection.send((0, "ready", None))
    with threadpool_limits(1, user_api="blas"):
        with suppress(Superseded):
            first(_watch(connection))
        while True:
            try:
                number, name, request = connection.recv()
                if connection.poll():
                    continue
                connection.send((number, "begun", None))
                connection.send((number, "answer", _answer(JOBS[name], request, _watch(connection))))
            except Superseded:
                continue
            except (EOFError, OSError):
                return


def _watch(connection: Connection) -> Progress:
    def progress(line: str) -> None:
        if connection.poll():
            raise Superseded

    return progress


def _answer(job: Callable[[Any, Progress], dict[str, Any]], request: Any, progress: Progress) -> dict[str, Any]:
    try:
        return job(request, progress)
    except Superseded:
        raise
    except (InputError, SolverError, MemoryError) as error:
        return {"answer": {"error": str(error) or "not enough memory"}}
    except Exception as error:  # the page shows it, and the next job can run
        return {"answer": {"error": f"the solver failed ({type(error).__name__}: {error}); move a point and try again"}}


@dataclass
class _Pending:
    number: int
    begun: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)
    answer: dict[str, Any] = field(default_factory=lambda: STALE)

    def finish(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.begun.set()
        self.done.set()


class Process:
    """A child process with a pipe, and a thread that passes on its messages.

    Parameters
    ----------
    target : its main function, of one `Connection`.
    hear : called with every message, in that thread; with None when the process has ended.
    """

    def __init__(self, target: Callable[[Connection], None], hear: Callable[[Any], None], name: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._child = context.Process(target=target, args=(theirs,), daemon=True, name=name)
        self._child.start()
        theirs.close()
        self._hear, self._hung_up = hear, False
        self._thread = threading.Thread(target=self._listen, daemon=True, name=f"{name} listener")
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it can be asked: a child that was killed may be gone before its pipe tells."""
        return not self._hung_up and self._child.is_alive()

    def send(self, message: Any) -> None:
        """Send a message; a process that has ended does not get it, and `hear(None)` reports that."""
        try:
            self._ours.send(message)
        except OSError:
            return

    def _listen(self) -> None:
        while True:
            try:
                message = self._ours.recv()
            except (EOFError, OSError):
                self._hung_up = True
                self._hear(None)
                return
            self._hear(message)

    def end(self) -> None:
        """Kill the process, and end the thread."""
        self._child.kill()
        self._child.join()
        if self._thread is not threading.current_thread():
            self._thread.join()
        self._ours.close()


class Desk:
    """Answers one request at a time, the latest; thread-safe."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._ready = threading.Event()
        self._pending: _Pending | None = None
        self._count = 0
        self._unseen = 0  # requests since the process last began one

    def start(self) -> None:
        """Load the modules of the process before the first request."""
        with self._lock:
            self._running()

    def ask(self, job: str, request: Any, seconds: float) -> dict[str, Any]:
        """The answer of the job, or `STALE` when a later request came in the meantime.

        Parameters
        ----------
        job : key of `jobs.JOBS`.  request : its argument.
        seconds : the process is killed after this time and some slack.
        """
        with self._lock:
            self._retire()
            if self._ready.is_set() and self._unseen >= _CROWD:
                self._end()  # a process that reads nothing would fill its pipe and block the sender
            self._count += 1
            self._unseen += 1
            pending = self._pending = _Pending(self._count)
            process, ready = self._running(), self._ready
            process.send((pending.number, job, request))
        if not pending.begun.wait(limits.PATIENCE_SECONDS if ready.is_set() else limits.START_SECONDS):
            with self._lock:
                if self._pending is pending:  # the process has not stopped the earlier request
                    self._end()
                    self._running().send((pending.number, job, request))
            pending.begun.wait(limits.START_SECONDS)
        if not pending.done.wait(seconds + limits.SLACK_SECONDS):
            with self._lock:
                if self._pending is pending:
                    self._end()
                    self._pending = None
            pending.finish({"answer": {"error": f"stopped after {seconds:g} seconds and more; take fewer points"}})
        return pending.answer

    def cancel(self) -> bool:
        """Stop the present request, which is answered `STALE`; False when there is none."""
        with self._lock:
            if self._pending is None:
                return False
            self._retire()
            if self._process is not None:
                self._count += 1
                self._process.send((self._count, "nothing", None))
            return True

    def close(self) -> None:
        """End the worker processes."""
        with self._lock:
            self._retire()
            self._end()

    def _retire(self) -> None:
        if self._pending is not None:
            self._pending.finish(STALE)
            self._pending = None

    def _running(self) -> Process:
        if self._process is None or not self._process.alive:
            self._end()
            self._ready, self._unseen = threading.Event(), 0
            ready = self._ready
            self._process = Process(attend, lambda message: self._hear(message, ready), self._name)
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def _hear(self, message: Any, ready: threading.Event) -> None:
        if message is None:
            if self._process is not None and not self._process.alive and self._pending is not None:
                self._pending.finish({"answer": {"error": "the solver's process has ended; try again"}})
            return
        number, kind, content = message
        self._unseen = 0
        if kind == "ready":
            ready.set()
            return
        pending = self._pending
        if pending is None or pending.number != number:
            return
        if kind == "begun":
            pending.begun.set()
            return
        pending.finish(content)
        if self._pending is pending:
            self._pending = None
