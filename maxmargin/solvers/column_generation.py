"""F1 over any set of neurons that an oracle can search: column generation on the dual LP.

    round:  p, w  = restricted game over the neurons found so far          (solvers/master.py)
            a_k   = best responses of all neurons to p                     (an oracle)
    until   the best payoff against p is no more than the margin of w      (Prop. 12)

Every round's w is a classifier (lower bound) and every round's p an adversary (upper bound, as far as the oracle
proves it); the best of each over the rounds is proposed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import SolverError
from ..features.homogeneous import Feature
from ..games.certificate import Attempt
from ..games.measure import Measure
from ..oracles.responses import Oracle, Responses
from .master import Master, MasterSolution
from .polish import polish
from .proposal import CONVERGED, INTERRUPTED, NOT_SEPARABLE, STALLED, Proposal, Round

Array = NDArray[np.float64]

# Payoffs below this fraction of the data's scale count as zero.
_ZERO = 1e-13


@dataclass(frozen=True)
class ColumnGeneration:
    """How to search; what to search is in `__call__`.

    Parameters
    ----------
    tol : stop when (upper - lower) <= tol * upper by our own evaluation.
    time_limit : seconds; the best pair so far is returned.
    max_rounds : oracle calls.
    count : best responses added a round.
    progress : called after every round with its `Round`.
    """

    tol: float = 1e-10
    time_limit: float = np.inf
    max_rounds: int = 10_000
    count: int = 15
    progress: Callable[[Round], None] | None = None

    def __call__(self, Z: Array, y: Array, feature: Feature, oracle: Oracle, initial: Measure | None = None) -> Proposal:
        """Propose the max-margin pair over the neurons that `oracle` searches.

        Parameters
        ----------
        Z : (n, D) what the activation sees.  y : (n,) labels +-1.
        oracle : best responses; its `bound`, where finite, stops the search, else the absence of violated neurons does.
        initial : neurons to start from (with the signs of their weights).

        Returns
        -------
        Proposal : valid whenever the search stopped, by a limit or by Ctrl-C too.
        """
        search = _Search(self, Z, y, feature, oracle)
        if initial is not None:
            search.add(initial.directions, np.where(initial.weights < 0, -1.0, 1.0))
        try:
            hint = search.run()
        except KeyboardInterrupt:
            hint = INTERRUPTED
        return search.proposal(hint)


@dataclass
class _Search:
    """State of one search: the restricted game, and the best pair over the rounds."""

    options: ColumnGeneration
    Z: Array
    y: Array
    feature: Feature
    oracle: Oracle
    start: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        n, D = self.Z.shape
        self.master = Master(n)
        self.directions, self.signs = np.empty((0, D)), np.empty(0)
        self.lower, self.upper, self.estimate = 0.0, np.inf, np.inf
        self.weights = np.empty(0)
        self.p = self.balanced = balanced(self.y)
        self.trace: list[Round] = []
        self.refusal: str | None = None
        self.master_seconds = self.oracle_seconds = 0.0

    @property
    def left(self) -> float:
        return self.options.time_limit - (time.perf_counter() - self.start)

    def run(self) -> str:
        """Rounds until one of the stopping reasons, which is returned."""
        options, p = self.options, self.balanced
        if len(self.signs):
            p = self._solve().p
        while True:
            responses = self._respond(p)
            self._log(responses)
            if self.upper <= _ZERO * self._scale(p):
                return NOT_SEPARABLE
            if self.lower >= self.upper * (1.0 - options.tol):
                return CONVERGED
            fresh = responses.values > self._value(p) * (1.0 + 0.1 * options.tol)
            if not fresh.any():
                return STALLED
            if self.left <= 0.0 or len(self.trace) >= options.max_rounds:
                return INTERRUPTED
            self.add(responses.directions[fresh], responses.signs[fresh])
            try:
                p = self._solve().p
            except SolverError as error:
                self.refusal = str(error)
                return INTERRUPTED

    def add(self, directions: Array, signs: Array) -> None:
        """Add neurons to the restricted game."""
        self.directions = np.vstack([self.directions, directions])
        self.signs = np.append(self.signs, signs)
        self.master.add(self.feature.evaluate(directions, self.Z) * (signs[:, None] * self.y))

    def _value(self, p: Array) -> float:
        """Best payoff against p among the neurons already known."""
        return max(0.0, float((self.master.columns @ p).max())) if self.master.size else 0.0

    def _scale(self, p: Array) -> float:
        return float(p @ np.linalg.norm(self.Z, axis=1) ** self.feature.degree)

    def _solve(self) -> MasterSolution:
        start = time.perf_counter()
        try:
            solution = self.master.solve(self.left)
            self._keep(solution)
            return solution
        finally:
            self.master_seconds += time.perf_counter() - start

    def _keep(self, solution: MasterSolution) -> None:
        if solution.margin > self.lower:
            self.lower, self.weights = solution.margin, solution.weights

    def _respond(self, p: Array) -> Responses:
        start = time.perf_counter()
        responses = self.oracle(p * self.y, self.options.count)
        self.oracle_seconds += time.perf_counter() - start
        best = responses.values[0] if len(responses.values) else 0.0
        # Without a proof the adversary that looks best is proposed.
        if (responses.bound, best) < (self.upper, self.estimate):
            self.p, self.upper, self.estimate = p, responses.bound, best
        return responses

    def _log(self, responses: Responses) -> None:
        best = float(responses.values[0]) if len(responses.values) else 0.0
        seconds = time.perf_counter() - self.start
        self.trace.append(Round(len(self.trace), self.lower, self.upper, best, self.master.size, seconds))
        if self.options.progress is not None:
            self.options.progress(self.trace[-1])

    def proposal(self, hint: str) -> Proposal:
        """The best learner and the best adversary of all rounds."""
        support = np.flatnonzero(self.weights)
        if len(support):
            measure = Measure(self.directions[support], (self.signs[: len(self.weights)] * self.weights)[support])
        else:
            measure = Measure(np.eye(1, self.Z.shape[1]), np.zeros(1))
        attempts = (
            Attempt("highs", self.refusal or "optimal", self.master_seconds),
            Attempt(type(self.oracle).__name__, hint, self.oracle_seconds),
        )
        return Proposal(measure, self.p, hint, self.lower, self.upper, len(self.trace), attempts, tuple(self.trace))


def balanced(y: Array) -> Array:
    """Weights (n,) that give both classes one half, uniform inside a class."""
    positive = y > 0
    counts = np.where(positive, positive.sum(), (~positive).sum())
    return 1.0 / (counts * len(np.unique(y)))
