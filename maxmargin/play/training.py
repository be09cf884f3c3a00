"""A training run that a page watches: paced frames out, pause, step and stop in."""

from __future__ import annotations

import signal
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from ..errors import InputError
from ..features import RELU
from ..film.encode import pack, signed_root
from ..flow.loss import Loss
from ..flow.network import neurons
from ..flow.recorder import AverageAdversary
from ..flow.schedules import get_rule
from ..flow.train import dynamics_of
from . import limits
from .requests import Train

_FRAME = 1.0 / limits.FRAMES
_BUSY = 0.8 * _FRAME  # seconds of each frame that are spent on steps
_QUIET = 0.2  # seconds between two polls for a command while no run is active


class Session:
    """One run, advanced step by step; the same dynamics as `maxmargin.train`, without its records.

    Attributes
    ----------
    t, time : steps taken, sum of the step sizes.  status : None while it can go on, else how it ended.
    """

    def __init__(self, request: Train) -> None:
        data, rng = request.data, np.random.default_rng(request.seed)
        Z = data.inputs(True)
        start = neurons(request.init, rng, request.width, Z.shape[1], RELU)
        self._dynamics = dynamics_of(request.layers, (Z, data.y), start, RELU, dtype="float64", weights="sphere")
        self._loss = Loss(request.loss)
        self._step = get_rule(request.schedule).stepper(self._dynamics, self._loss)
        self._average = AverageAdversary(data.n)
        self._steps, self._growth = request.steps, request.growth
        self.t, self.time, self.best = 0, 0.0, -np.inf
        self.status: str | None = None
        self._look()

    @property
    def norm(self) -> str:
        """f1 (margins over the mass) or f2 (margins over the root mean square of the output weights)."""
        return self._dynamics.norm

    def _look(self) -> None:
        u = self._dynamics.outputs()
        self._S, self._p = self._loss.evaluate(u)
        self._size = self._dynamics.size()
        if not np.isfinite(self._S + self._size):
            self.status = "diverged"
            return
        self.margin = float(u.min()) / self._size if self._size > 0 else 0.0
        self.best = max(self.best, self.margin)
        if self.t >= self._steps:
            self.status = "finished"

    def step(self) -> None:
        """One step, unless the run has ended."""
        if self.status is not None:
            return
        self.t += 1
        elapsed, p = self._step(self.t, self._S, self._p)
        self.time += elapsed
        self._average.add(self.t, elapsed, p)
        self._look()

    def advance(self, seconds: float) -> None:
        """Take the steps up to the next frame: a few per cent of those taken so far, as many as the time allows."""
        deadline = time.perf_counter() + seconds
        goal = max(self.t + 1, round(self.t * self._growth))
        while self.status is None and self.t < goal and time.perf_counter() < deadline:
            self.step()

    def frame(self) -> dict[str, Any]:
        """This moment as the page draws it.

        ``directions`` (m, 3) and ``shares`` (m,), signed roots of the shares of the total variation, packed;
        f / norm = `ratio` times the function of these shares over unit directions.
        """
        p = self._average.value(self._p)
        if self.status is None and self._dynamics.ascend(p) <= 0:
            self.status = "collapsed"
        network = self._dynamics.network(True)
        lengths = np.linalg.norm(network.hidden, axis=1)
        weights = network.output * lengths
        total = float(np.abs(weights).sum())
        directions = network.hidden / np.where(lengths > 0, lengths, 1.0)[:, None]
        return {
            "step": self.t,
            "time": self.time,
            "margin": self.margin,
            "best": self.best,
            "norm": self.norm,
            "ratio": total / len(weights) / self._size if self._size > 0 else 0.0,
            "directions": pack(directions),
            "shares": pack(signed_root(weights / (total or 1.0))),
            "adversary": np.round(p, 6).tolist(),
        }


def attend(connection: Connection) -> None:
    """The process of a `Trainer`: ("start", number, Train), ("pause" | "resume" | "step" | "stop", number, None)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        try:
            _Course(connection).run()
        except (EOFError, OSError):
            return


class _Course:
    """The loop of the process: commands in, frames out."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._session: Session | None = None
        self._number, self._running, self._deadline = 0, False, 0.0

    def run(self) -> None:
        """Until the other end closes, which raises EOFError."""
        while True:
            began = time.perf_counter()
            busy = self._session is not None and self._running
            while self._connection.poll(0 if busy else _QUIET):
                self._obey(*self._connection.recv())
                busy = self._session is not None and self._running
            if busy:
                self._go_on(began)

    def _go_on(self, began: float) -> None:
        session = self._session
        if session is None:
            return
        session.advance(_BUSY)
        self._show(session)
        if session.status is None and time.monotonic() > self._deadline:
            session.status = "interrupted"
        if session.status is not None:
            self._end(session.status)
            return
        left = _FRAME - (time.perf_counter() - began)
        if left > 0:
            self._connection.poll(left)  # a command may come before

    def _obey(self, command: str, number: int, request: Any) -> None:
        if command == "start":
            self._session, self._number, self._running = None, number, True
            self._deadline = time.monotonic() + limits.RUN_SECONDS
            self._begin(request)
        elif self._session is None or number != self._number:
            return
        elif command == "step":
            self._running = False
            self._session.step()
            self._show(self._session)
            if self._session.status is not None:
                self._end(self._session.status)
        elif command == "stop":
            self._end("stopped")
        else:
            self._running = command == "resume"

    def _begin(self, request: Train) -> None:
        try:
            self._session = Session(request)
        except (InputError, MemoryError) as error:
            self._say("end", {"status": "refused", "sentence": str(error)})
            return
        self._show(self._session)

    def _show(self, session: Session) -> None:
        try:
            self._say("frame", session.frame())
        except InputError:  # a weight has left the range of floats
            session.status = "diverged"

    def _end(self, status: str) -> None:
        self._session = None
        self._say("end", {"status": status})

    def _say(self, kind: str, content: dict[str, Any]) -> None:
        self._connection.send((kind, content | {"run": self._number}))
