"""A few points decide a max margin: solve for a working set of points, evaluate all, add the worst, repeat.

    round:  f, p = a pair for the game of the points S alone           (by any solver of that game)
            m_i  = the margins y_i f(x_i) of all n points              (in blocks)
    until   the least margin over all points is the least over S

Both ends stay proved.  Weights p on S are weights on all points, which pay a neuron the same, and the least margin of f
is taken over all n.  The early rounds are solved roughly: their gap need only be small beside what the points left out
can still change.  Time and memory depend on the working set, except for the evaluation, which is linear in n.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from ..conventions import Array, Indices
from ..outcome import Attempt
from .proposal import CONVERGED, INTERRUPTED, STALLED, Proposal, best_ends

_SAME = 1e-12  # relative: margins that are this near to the least one of the working set are equal up to rounding
_ROUGH = 1e-2  # relative gap to which the first rounds are solved
_STEP = 1e-3  # factor of the tolerance once no point is worse than those of the working set
_BESIDE = 0.1  # the tolerance, as a part of the relative drop of the least margin from the working set to all points
_AWAY = 1.5  # a point without weight is idle while its margin is this many times the least one
_ROUNDS, _DROPPING = 300, 40  # rounds at most; rounds in which points may be dropped


class PointGame(Protocol):
    """The game of a subset of the points, as a `WorkingSet` needs it."""

    n: int

    def solve(self, points: Indices, tol: float, left: float) -> Proposal:
        """A pair for these points alone, to the relative gap `tol`, within `left` seconds; p (len(points),)."""

    def margins(self, measure: Any) -> Array:
        """The margins of all points for a learner of norm one, (n,)."""


@dataclass(frozen=True)
class WorkingSet:
    """The options of a working set of points.

    Parameters
    ----------
    tol : relative gap over all points at which to stop.
    first : points of the first round, half of each class where there are as many.
    growth : points that enter a round, as a fraction of the working set, and at least `first` / 2.
    patience : rounds after which a point without weight, whose margin is far from the least, is dropped.
    seed : of the first points.
    """

    tol: float = 1e-10
    first: int = 300
    growth: float = 0.5
    patience: int = 3
    seed: int = 0

    def __call__(self, game: PointGame, y: Array, time_limit: float = np.inf) -> Proposal:
        """Propose a pair for the game of all points.

        Parameters
        ----------
        y : (n,) labels +-1.
        time_limit : seconds.

        Returns
        -------
        Proposal : p is (n,), zero outside of the working set; `lower` is the least margin of all points.
        """
        end = time.monotonic() + time_limit
        rounds = _Rounds(self, game, y)
        try:
            return rounds.run(lambda: end - time.monotonic())
        except KeyboardInterrupt:  # while all points were evaluated
            if rounds.best is None:
                raise
            return replace(rounds.best, reason=INTERRUPTED, stopped=True)

    def initial(self, y: Array) -> Indices:
        """Random points, half of each class where there are as many."""
        rng = np.random.default_rng(self.seed)
        classes = sorted((np.flatnonzero(y == label) for label in np.unique(y)), key=len)
        chosen: list[Indices] = []
        for k, members in enumerate(classes):
            count = (self.first - sum(map(len, chosen))) // (len(classes) - k)
            chosen.append(members if len(members) <= count else rng.choice(members, count, replace=False))
        return np.sort(np.concatenate(chosen))


@dataclass
class _Rounds:
    """State over the rounds: the working set, how long its points have been idle, the best learner and adversary."""

    options: WorkingSet
    game: PointGame
    y: Array
    best: Proposal | None = None
    evaluation: float = 0.0

    def __post_init__(self) -> None:
        self.points = self.options.initial(self.y)
        self.idle = np.zeros(len(self.points), dtype=np.int64)
        self.rng = np.random.default_rng(self.options.seed)

    def run(self, left: Callable[[], float]) -> Proposal:
        """Rounds until no point left out has less margin and the gap over the working set is closed."""
        tol, sharpest = max(_ROUGH, self.options.tol), self.options.tol
        for number in range(_ROUNDS):
            found = self.game.solve(self.points, tol, left())
            if not found.measure.weights.any():
                return self._ended(found, None)
            margins = self._evaluate(found.measure)
            worse = self._worse(margins, found.lower)
            settled = found.reason in (CONVERGED, STALLED) and not (len(worse) == 0 and tol <= sharpest)
            if not settled or found.stopped or number == _ROUNDS - 1:
                return self._ended(found, margins)
            if left() <= 0.0:
                return self._ended(replace(found, reason=INTERRUPTED), margins)
            self._keep(found, margins)
            tol = max(sharpest, self._sharper(tol, found, margins, len(worse)))
            self._exchange(found, margins, worse, number < _DROPPING)
        raise AssertionError("unreachable")

    def _evaluate(self, measure: Any) -> Array:
        start = time.perf_counter()
        margins = self.game.margins(measure)
        self.evaluation += time.perf_counter() - start
        return margins

    def _worse(self, margins: Array, level: float) -> Indices:
        """Points outside of the working set with less margin than it has, worst first."""
        below = margins < level * (1.0 - _SAME)
        below[self.points] = False
        worse = np.flatnonzero(below)
        return worse[np.argsort(margins[worse], kind="stable")]

    def _sharper(self, tol: float, found: Proposal, margins: Array, worse: int) -> float:
        """The next round's tolerance: small beside what the points left out have still changed."""
        if not worse:
            return _STEP * tol
        missing = 1.0 - float(margins.min()) / found.lower if found.lower > 0.0 else 1.0
        return min(tol, _BESIDE * missing)

    def _exchange(self, found: Proposal, margins: Array, worse: Indices, dropping: bool) -> None:
        """Half of the points that enter are the worst, half are drawn from all that are worse than the working set."""
        count = max(self.options.first // 2, int(self.options.growth * len(self.points)))
        entering = worse[: (count + 1) // 2]
        rest = worse[len(entering) :]
        if len(rest):
            drawn = self.rng.choice(rest, min(len(rest), count - len(entering)), replace=False)
            entering = np.concatenate([entering, drawn])
        away = (found.p == 0.0) & (margins[self.points] > _AWAY * found.lower)
        self.idle = np.where(away, self.idle + 1, 0)
        kept = self.idle < self.options.patience if dropping else np.ones(len(self.points), dtype=bool)
        points = np.concatenate([self.points[kept], entering])
        order = np.argsort(points, kind="stable")
        self.points = points[order]
        self.idle = np.concatenate([self.idle[kept], np.zeros(len(entering), dtype=np.int64)])[order]

    def _keep(self, found: Proposal, margins: Array | None) -> None:
        """The best learner over all points, and the adversary of the last round: the value over S only falls."""
        lower = 0.0 if margins is None else max(0.0, float(margins.min()))
        p = np.zeros(self.game.n)
        p[self.points] = found.p
        here = replace(found, p=p, lower=lower)
        self.best = here if self.best is None else best_ends(self.best, here)

    def _ended(self, found: Proposal, margins: Array | None) -> Proposal:
        """The best pair, with how the last round ended."""
        self._keep(found, margins)
        evaluation = Attempt("evaluation of all points", f"{len(self.points)} in the working set", self.evaluation)
        best = self.best or found
        return replace(best, reason=found.reason, stopped=found.stopped, attempts=(*best.attempts, evaluation))
