"""F1 in D = 2 by column generation on the LP of splines (`solvers.splines`), with an exact oracle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..clock import Clock
from ..conventions import Array
from ..errors import SolverError
from ..features.homogeneous import Feature
from ..games.measure import Measure
from ..oracles.oracle import Oracle, Responses
from ..outcome import Attempt, Reason
from .column_generation import ColumnGeneration
from .proposal import CONVERGED, INTERRUPTED, STALLED, Proposal, Round, best_ends
from .search import MANY
from .splines import Extended, Lines, SplineLP

LINES = 10_000  # points up to which the LP takes all of them at once
_CLOSE = 1e-3  # relative gap of many points below which the columns of the game have nothing to add
_WARM = 1_000  # points up to which the LP starts from its last basis, as long as that halves the gap
_HALVED, _PATIENCE = 0.5, 12  # stop after so many rounds in a row that did not reduce the gap by this factor


@dataclass(frozen=True)
class SplineSearch(ColumnGeneration):
    """Column generation in D = 2, degree 1, on the LP of splines; on the game's own columns where that has no answer.

    Lines closer than 1e-12 have none, nor has a network that is linear; few points get their last digits there.
    """

    def __call__(
        self, Z: Array, y: Array, feature: Feature, oracle: Oracle, initial: Measure | None = None
    ) -> Proposal:
        """As `ColumnGeneration`; the oracle is to be exact."""
        clock, found = Clock(self.time_limit), None
        columns = ColumnGeneration(**vars(self))
        lines = Lines.of(Z) if feature.right + feature.left else None
        if lines is not None:
            try:
                found = _Search(self, Z, y, feature, oracle, clock).run(lines, initial)
            except KeyboardInterrupt:  # before the first answer
                return replace(replace(columns, time_limit=0.0)(Z, y, feature, oracle, initial), stopped=True)
        options = replace(columns, time_limit=clock.left)
        if found is None:
            return options(Z, y, feature, oracle, initial)
        enough = self.tol if len(y) < MANY else max(self.tol, _CLOSE)
        if found.stopped or clock.expired or found.lower >= (1.0 - enough) * found.upper:
            return found
        options = replace(options, max_rounds=max(1, self.max_rounds - found.rounds))
        return best_ends(found, options(Z, y, feature, oracle, initial))


@dataclass
class _Search:
    """Rounds of the LP and the oracle, and the best pair over them.

    Attributes
    ----------
    options, Z, y, feature, oracle : as of `SplineSearch`.  clock : its limit.
    best : the best pair so far, None before the first.  spent : seconds of the LP and of the oracle.
    """

    options: ColumnGeneration
    Z: Array
    y: Array
    feature: Feature
    oracle: Oracle
    clock: Clock
    best: Proposal | None = None
    spent: dict[str, float] = field(default_factory=lambda: {"splines": 0.0, "oracle": 0.0})

    def run(self, lines: Lines, initial: Measure | None) -> Proposal | None:
        """The best pair; None when not even the first LP was solved; `KeyboardInterrupt` before it passes through."""
        refusal, reason, stopped = "optimal", STALLED, False
        try:
            reason = self._rounds(lines, initial)
        except SolverError as error:
            refusal, reason = str(error), INTERRUPTED if self.clock.expired else STALLED
        except KeyboardInterrupt:
            if self.best is None:
                raise
            reason, stopped = INTERRUPTED, True
        if self.best is None:
            return None
        oracle = type(self.oracle).__name__
        attempts = Attempt("highs", refusal, self.spent["splines"]), Attempt(oracle, reason, self.spent["oracle"])
        return replace(self.best, reason=reason, stopped=stopped, attempts=attempts)

    def _rounds(self, lines: Lines, initial: Measure | None) -> Reason:
        options, idle, gap = self.options, 0, np.inf
        with self._timed("splines"):
            lp = SplineLP(self.Z, self.y, self.feature, lines)
            if initial is not None and initial.weights.any():
                lp.add(initial.directions, np.sign(initial.weights))
        while True:
            best, more = self._round(lp, idle == 0 and len(self.y) <= _WARM)
            if best.lower >= best.upper * (1.0 - options.tol):
                return CONVERGED
            idle, gap = (0 if best.upper - best.lower < _HALVED * gap else idle + 1), best.upper - best.lower
            if idle == _PATIENCE or not len(more):
                return STALLED
            if self.clock.expired or best.rounds >= options.max_rounds:
                return INTERRUPTED
            with self._timed("splines"):
                lp.add(more.directions, more.weights)

    def _round(self, lp: SplineLP, warm: bool) -> tuple[Proposal, Measure]:
        """The best pair so far, and the neurons that pay more than those known do.

        Of two optimal adversaries each may pay neurons that the other does not: their mean pays less.
        """
        with self._timed("splines"):
            measure, p, value = lp.solve(self.clock.left, warm)
            lower = max(0.0, float(self._margins(measure).min()))
        best, responses = self._answered(measure, p, lower)
        found = [responses]
        if len(best.trace):
            best, responses = self._answered(measure, 0.5 * (p + best.p), lower)
            found.append(responses)
        payoff = max((float(item.values[0]) for item in found if len(item.values)), default=0.0)
        trace = (*best.trace, Round(len(best.trace), best.lower, best.upper, payoff, len(lp.signs), self.clock.seconds))
        self.best = best = replace(best, rounds=len(trace), trace=trace)
        if self.options.progress is not None:
            self.options.progress(trace[-1])
        fresh = [item.values > value * (1.0 + 0.1 * self.options.tol) for item in found]
        directions = [item.directions[more] for item, more in zip(found, fresh, strict=True)]
        signs = [item.signs[more] for item, more in zip(found, fresh, strict=True)]
        return best, Measure(np.concatenate(directions), np.concatenate(signs))

    def _answered(self, measure: Measure, p: Array, lower: float) -> tuple[Proposal, Responses]:
        """The best pair after this one, and the best responses to p."""
        with self._timed("oracle"):
            responses = self.oracle(p * self.y, len(self.y))
        now = Proposal(measure, p, STALLED, lower, responses.bound, scope=responses.scope)
        self.best = best = now if self.best is None else best_ends(self.best, now)
        return best, responses

    def _margins(self, measure: Measure) -> Extended:
        """y_i f(x_i) per unit of total variation, path convention: extended, since the terms cancel."""
        directions: Any = measure.directions.astype(np.longdouble)
        weights = measure.weights.astype(np.longdouble)
        parts = [weights @ self.feature(directions @ part.T.astype(np.longdouble)) for part in measure.blocks(self.Z)]
        total = np.abs(weights) @ np.sqrt((directions * directions).sum(axis=1))
        return np.asarray(self.y * np.concatenate(parts) / total)

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        watch = Clock()
        try:
            yield
        finally:
            self.spent[name] += watch.seconds
