"""The restricted master over many points: an LP on those that matter, the others looked at after every solution.

    solve the LP for the points S in play;   m_i = margins of all n points;   let those below the level of S enter

A point left out has weight zero, so that the value p . h_k of every column is what it is over all points.  The LP's
time then follows the support of the adversary, not n.  Until the search is nearly done the exchange ends early:
the loss in the margin need only be small beside what the neurons not yet found can still add.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..clock import Clock
from ..conventions import Array, Indices
from ..errors import SolverError
from .lp_refinement import MasterSolution, roomy
from .master import Master, evaluate

_FIRST = 300  # points in play at first
_GROWTH = 0.5, 100  # points that enter at once: as a fraction of those in play, and at least
_SAME = 1e-9  # relative: margins this near to the level are equal up to the LP's tolerances
_AWAY = 1.5  # a point is idle while its margin is this many times the level


class SiftedMaster:
    """`Master` with the same methods, for many points; `inside` are the indices of those in play.

    Parameters
    ----------
    y : (n,) labels +-1: the first points in play come from both classes.
    cap, sizes : as of `Master`.
    seed : of the first points.
    """

    def __init__(self, y: Array, cap: float, sizes: Array, seed: int = 0) -> None:
        self.n, self.cap, self.sizes, self.size = len(y), cap, sizes, 0
        shuffled = np.random.default_rng(seed).permutation(len(y))
        ranks = np.empty(len(y))  # of each point among those of its class, in random order
        for label in np.unique(y):
            ranks[shuffled[y[shuffled] == label]] = np.arange(np.count_nonzero(y == label))
        first = max(_FIRST, int(np.ceil(2.0 / cap)))
        self.inside = np.sort(np.argsort(ranks, kind="stable")[:first])
        self._columns = np.empty((64, self.n))
        self._master = Master(len(self.inside), cap, sizes[self.inside])

    @property
    def columns(self) -> Array:
        """The columns h_k so far, (K, n), a view."""
        return self._columns[: self.size]

    def add(self, columns: Array) -> None:
        """Add columns ``h_k = s_k y phi(a_k, .)``, shape (K, n)."""
        K = len(columns)
        self._columns = roomy(self._columns, self.size, K)
        self._columns[self.size : self.size + K] = columns
        self.size += K
        self._master.add(columns[:, self.inside])

    def solve(self, time_limit: float = np.inf, enough: float = 0.0) -> MasterSolution:
        """Solve the restricted game, up to a loss of margin of the fraction `enough` of its value.

        Raises
        ------
        SolverError : as `Master.solve`, when not even the first LP was solved.
        """
        clock, best = Clock(time_limit), None
        while best is None or not clock.expired:
            try:
                found = self._master.solve(clock.left)
            except SolverError:
                if best is None:
                    raise
                break
            best = self._everywhere(found)
            outputs = best.weights @ self.columns
            level = float(outputs[best.p > 0.0].max())
            below = outputs < level - _SAME * abs(level)
            below[self.inside] = False
            worse = np.flatnonzero(below)
            if not len(worse) or best.value - best.margin <= enough * best.value:
                break
            self._enter(worse[np.argsort(outputs[worse], kind="stable")])
        return best

    def refine(self, solution: MasterSolution, columns: Any = None, time_limit: float = np.inf) -> MasterSolution:
        """As `Master.refine`, for the points in play."""
        inside = solution._replace(p=solution.p[self.inside])
        known = None if columns is None else columns[:, self.inside]
        return self._everywhere(self._master.refine(inside, known, time_limit))

    def relieve(self, solution: MasterSolution) -> Indices | None:
        """As `Master.relieve`; points far from the level then leave, too."""
        kept = self._master.crowded(solution._replace(p=solution.p[self.inside]))
        return None if kept is None else self.drop(kept, solution)

    def drop(self, kept: Indices, solution: MasterSolution) -> Indices:
        """Forget all columns but those with the indices `kept`, and the idle points."""
        self._master.shrink(kept)
        self._columns[: len(kept)] = self._columns[kept]
        self.size = len(kept)
        outputs = solution.weights[kept] @ self.columns[:, self.inside]
        weighed = solution.p[self.inside] > 0.0
        near = outputs < _AWAY * outputs[weighed].max()
        self.inside = self.inside[self._master.narrow(weighed | near)]
        return kept

    def _enter(self, worse: Indices) -> None:
        entering = worse[: max(_GROWTH[1], int(_GROWTH[0] * len(self.inside)))]
        self._master.widen(self.columns[:, entering], self.sizes[entering])
        self.inside = np.append(self.inside, entering)

    def _everywhere(self, found: MasterSolution) -> MasterSolution:
        p = np.zeros(self.n)
        p[self.inside] = found.p
        return evaluate(self.columns, p, found.weights, self.cap)
