"""The loop of a run: evaluate, record, step, until done, dead, overflown or out of time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..text import share_text
from .dynamics import Dynamics
from .loss import Loss
from .recorder import Recorder
from .schedules import Step

_EVERY = 0.5  # seconds between two progress lines of a run
Progress = Callable[[str], None]


@dataclass
class Loop:
    """The loop itself: evaluate, record, step, until done, dead, overflown or out of time.

    Attributes
    ----------
    dynamics : what moves.  loss : the smooth margin.  step : takes one step.  recorder : keeps the path.
    batches : rows of each step, or None for all.  deadline : of `time.perf_counter`.
    progress : called regularly with a line of text, or None.
    """

    dynamics: Dynamics
    loss: Loss
    step: Step
    recorder: Recorder
    batches: Iterator[NDArray[np.int64]] | None
    deadline: float
    progress: Progress | None

    def run(self, steps: int) -> tuple[str, int]:
        """Take the steps; returns the status and how many were taken."""
        self.t, self.flow_time, self.steps, self.shown = 0, 0.0, steps, time.perf_counter()
        try:
            while (status := self._look(steps)) is None:
                self._advance()
        except KeyboardInterrupt:
            self.progress = None
            if not self.recorder.trace or self.recorder.trace[-1]["step"] < self.t:
                self._look(self.t)
            status = "interrupted"
        return status, self.t

    def _look(self, steps: int) -> str | None:
        """Evaluate and record the present iterate; a status when the run ends here."""
        late = time.perf_counter() > self.deadline
        due = late or self.t >= steps or self.recorder.due(self.t)
        if self.progress is not None and time.perf_counter() - self.shown > _EVERY:
            self._tell()
        if due or self.batches is None:
            u = self.dynamics.outputs()
            self.S, self.p = self.loss.evaluate(u)
            if not np.isfinite(self.S + self.dynamics.size()):
                return "diverged"
            self.recorder.visit(self.t, u)
            if due and not self._record():
                return "collapsed"
        if self.t >= steps:
            return "finished"
        return "interrupted" if late else None

    def _record(self) -> bool:
        """Add a row; False when the gradient is zero."""
        self.recorder.record(self.t, self.flow_time, self.S, self.p)
        self._tell()
        return self.dynamics.ascend(self.p) > 0

    def _tell(self) -> None:
        """Progress lines of the run: at every recorded step, and in between when that takes long."""
        if self.progress is None:
            return
        self.shown, best = time.perf_counter(), self.recorder.best
        upper = min((row["upper"] for row in self.recorder.trace if row.get("upper")), default=0.0)
        share = f" = {share_text(best / upper)} of its proved limit" if upper > 0 and best > 0 else ""
        self.progress(f"step {self.t:,} of {self.steps:,}, best margin {best:.4g}{share}")

    def _advance(self) -> None:
        if self.batches is not None:
            self.S, self.p = self.loss.evaluate(self.dynamics.outputs(next(self.batches)))
        self.t += 1
        elapsed, p = self.step(self.t, self.S, self.p)
        self.flow_time += elapsed
        if self.batches is None:
            self.recorder.average.add(self.t, elapsed, p)


def batches(rng: np.random.Generator, n: int, size: int) -> Iterator[NDArray[np.int64]]:
    """Random rows without replacement, epoch after epoch."""
    while True:
        order = rng.permutation(n)
        for first in range(0, n - size + 1, size):
            yield order[first : first + size]
