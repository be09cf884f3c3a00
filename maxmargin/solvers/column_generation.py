"""F1 over any set of neurons that an oracle can search: column generation on the dual LP.

    round:  p, w  = restricted game over the neurons found so far          (solvers/master.py)
            a_k   = best responses of all neurons to p                     (an oracle)
    until   the best payoff against p is no more than the margin of w      (Prop. 12)

Every round's w is a classifier (lower bound) and every round's p an adversary (upper bound, as far as the oracle
proves it); the best of each over the rounds is proposed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..clock import Clock, Patience
from ..conventions import Array
from ..errors import SolverError
from ..features.homogeneous import Feature
from ..games.measure import Measure
from ..games.opposed_points import may_vanish
from ..games.soft import capped
from ..games.variation import DictionaryOracle
from ..oracles.ascent.multistart import LocalOracle
from ..oracles.oracle import Oracle, Responses
from ..outcome import Attempt, Reason
from .lp_refinement import MasterSolution, payoffs
from .master import Master, evaluate
from .proposal import CONVERGED, FAILED, INTERRUPTED, NOT_SEPARABLE, STALLED, Proposal, Round
from .sifting import SiftedMaster

_ZERO = 1e-13  # payoffs below this fraction of the data's scale count as zero, unless the oracle sees further
_ROUGH = 1e-3  # relative gap at which scouting ends
_BLUNT = 1.5  # the LP is refined when its own gap, from the solver's tolerances, exceeds this multiple of our gap
_SMALL = 20_000  # up to this many products all columns are extended from the start
_EXTENDED = 20_000_000  # up to this many products (neurons times points) columns may be kept extended
_MANY, _BESIDE = 600, 0.3  # points from which the LP is sifted, to a gap that is this part of the search's gap
_PATIENCE = 50, 0.99  # stop when after so many rounds the gap is not below this multiple of the earlier gap


@dataclass(frozen=True)
class ColumnGeneration:
    """Options of the search; `__call__` takes the problem.

    Parameters
    ----------
    tol : stop when (upper - lower) <= tol * upper by our own evaluation.
    local_tol : with an oracle that proves nothing: stop when no neuron pays more than (1 + local_tol) times the margin.
    time_limit : seconds; the best pair so far is returned.
    max_rounds : oracle calls.
    count : best responses added per round.
    smoothing : the oracle is asked about ``smoothing * (last p asked) + (1 - smoothing) * (p of the LP)``: calmer.
    scouts : random directions whose dictionary margin is solved roughly first; 0 for none.
    progress : called after every round with its `Round`.
    cap : largest weight of the adversary on one point; 1/(nu n) makes the margin soft (`games.soft`).
    seed : of the scouts.
    idle : stop when an oracle that counts its work has done so much without halving a gap.
    """

    tol: float = 1e-10
    local_tol: float = 1e-9
    time_limit: float = np.inf
    max_rounds: int = 10_000
    count: int = 30
    smoothing: float = 0.3
    scouts: int = 2000
    progress: Callable[[Round], None] | None = None
    cap: float = 1.0
    seed: int = 0
    idle: float = np.inf

    def __call__(
        self, Z: Array, y: Array, feature: Feature, oracle: Oracle, initial: Measure | None = None
    ) -> Proposal:
        """Propose the max-margin pair over the neurons that `oracle` searches.

        Parameters
        ----------
        Z : (n, D) what the activation sees.  y : (n,) labels +-1.
        oracle : best responses; its `bound`, where finite, stops the search, else that no neuron pays more.
        initial : neurons to start from (with the signs of their weights).

        Returns
        -------
        Proposal : valid whenever the search stopped, by a limit or by Ctrl-C too.
        """
        if isinstance(oracle, LocalOracle):
            oracle.clock = Clock(self.time_limit)
        search = _Search(self, Z, y, feature, oracle)
        try:
            if initial is not None:
                search.begin(initial)
            elif self.scouts and self.time_limit > 0.0:
                search.begin(self._scout(Z, y, feature))
                search.scouted = search.clock.seconds
            return search.proposal(search.run())
        except KeyboardInterrupt:
            return replace(search.proposal(INTERRUPTED), stopped=True)

    def _scout(self, Z: Array, y: Array, feature: Feature) -> Measure:
        """Neurons of a rough margin over random directions, to start from."""
        theta = np.random.default_rng(self.seed).standard_normal((self.scouts, Z.shape[1]))
        theta /= np.linalg.norm(theta, axis=1, keepdims=True)
        rough = replace(self, tol=_ROUGH, time_limit=0.2 * self.time_limit, smoothing=0.0, progress=None)
        search = _Search(rough, Z, y, feature, DictionaryOracle(Z, feature, theta), exact=False)
        search.run()
        return search.measure


@dataclass
class _Search:
    """State of one search: the restricted game, and the best pair over the rounds."""

    options: ColumnGeneration
    Z: Array
    y: Array
    feature: Feature
    oracle: Oracle
    exact: bool = True  # whether an LP is refined when its own gap is what is left

    def __post_init__(self) -> None:
        n, D = self.Z.shape
        self.clock, self.exact = Clock(self.options.time_limit), self.exact and self.options.cap >= 1.0
        zero, sizes = getattr(self.oracle, "zero", _ZERO), np.linalg.norm(self.Z, axis=1) ** self.feature.degree
        if zero != _ZERO and may_vanish(self.Z, self.y, self.feature, np.ones(n)):
            zero = _ZERO  # what remains of points that cancel is rounding: thousands of rounds to reduce
        self.zero, cap = zero * sizes, self.options.cap
        sifted = n >= _MANY and (cap < 1.0 or isinstance(self.oracle, LocalOracle))
        self.master: Master | SiftedMaster = SiftedMaster(self.y, cap, sizes) if sifted else Master(n, cap, sizes)
        self.directions, self.signs = np.empty((0, D)), np.empty(0)
        self.lower, self.upper, self.estimate = 0.0, np.inf, np.inf
        self.measure = Measure(np.eye(1, D), np.zeros(1))
        self.scope: str | None = None
        classes, of, counts = np.unique(self.y, return_inverse=True, return_counts=True)
        weights = 1.0 / (len(classes) * counts[of])
        self.p = self.asked = weights if cap >= 1.0 else capped(weights, cap)
        self._known: Any = np.empty((0, n))
        self.trace: list[Round] = []
        self.solution: MasterSolution | None = None
        self.refusal: str | None = None
        self.sharp = self.refined = False
        self.patience = Patience(*_PATIENCE)
        self.idle = Patience(self.options.idle, 0.5), Patience(self.options.idle, 0.5)
        self.scouted = self.master_seconds = self.oracle_seconds = 0.0  # seconds

    def begin(self, measure: Measure) -> None:
        """Start from this learner and its neurons."""
        atoms = np.flatnonzero(measure.weights)
        if len(atoms):
            directions, weights = measure.directions[atoms], measure.weights[atoms]
            self._append(directions, np.sign(weights), self._columns(directions, np.sign(weights), extended=False))
            self._keep(evaluate(self.master.columns, self.p, np.abs(weights) / np.abs(weights).sum(), self.options.cap))

    def run(self) -> Reason:
        """Rounds until one of the stopping reasons, which is returned."""
        try:
            return self._rounds()
        except SolverError as error:
            self.refusal = str(error)
        if not self.trace:
            self._respond(self.p)  # an upper end even if there was no time for an LP
        return INTERRUPTED if self.clock.expired else FAILED

    def _rounds(self) -> Reason:
        options, blend = self.options, 0.0
        if self.scouted:
            # Symmetric data have a balanced optimum, which the LP's vertices would take long to average.
            self._add_violated(self._respond(self.p), self.p)
        p = self._solve() if self.master.size else self.p
        while True:
            self.asked = blend * self.asked + (1.0 - blend) * p if blend else p
            responses = self._respond(self.asked)
            if self.upper <= float(p @ self.zero):
                return NOT_SEPARABLE
            if self.lower >= self.upper * (1.0 - options.tol):
                return CONVERGED
            known, gap = self.master.size, min(self.upper, self.estimate) - self.lower
            if self._met() or self._slow(gap, responses.bound) or self.patience.over(gap, len(self.trace)):
                return STALLED  # met, or the rounds add neurons that differ by rounding alone
            self._add_violated(responses, p)
            fresh = self.master.size - known  # `_met` adds what it finds, too
            if not fresh and self.asked is p:
                refined = p if self.refined else self._sharpen()
                if np.array_equal(refined, p):
                    return CONVERGED if self.lower >= self.upper * (1.0 - options.tol) else STALLED
                p, blend = refined, 0.0
                continue
            if self.clock.expired or len(self.trace) >= options.max_rounds:
                return INTERRUPTED
            # No new neuron against the averaged p: ask about the p of the LP alone.
            blend = options.smoothing if fresh and len(self.trace) > 1 and not self.sharp else 0.0
            p = self._solve() if fresh else p

    def _met(self) -> bool:
        """Without a proving oracle: no neuron found pays more than the learner's margin against the best adversary."""
        enough = self.lower * (1.0 + self.options.local_tol)
        if np.isfinite(self.upper) or max(self.estimate, self._value(self.p)) > enough:
            return False
        responses = self._respond(self.p)  # the search draws new starts each time: ask once more
        self.estimate = max(self.estimate, float(responses.values[0]))
        return self._add_violated(responses, self.p) == 0

    def _slow(self, gap: float, bound: float) -> bool:
        """Whether much work has halved neither the gap nor the excess of the last bound, which falls before the gap."""
        work, last = getattr(self.oracle, "work_done", 0.0), bound - self.lower if len(self.trace) > 1 else np.inf
        return all([self.idle[0].over(gap, work), self.idle[1].over(last, work)])

    def _columns(self, directions: Array, signs: Array, extended: bool) -> Any:
        """(K, n); extended: a.z is small for a neuron near the hyperplane of z, its rounding is not."""
        kind: Any = np.longdouble if extended else float
        return self.feature(directions.astype(kind) @ self.Z.T.astype(kind)) * (signs[:, None] * self.y)

    @property
    def known(self) -> Any:
        """The columns of all neurons, extended where that is affordable."""
        if not self.sharp or self.master.size * self.Z.size > _EXTENDED:
            return self.master.columns
        if len(self._known) != self.master.size:
            self._known = self._columns(self.directions, self.signs, extended=True)
        return self._known

    def _append(self, directions: Array, signs: Array, columns: Array) -> None:
        self.directions = np.vstack([self.directions, directions])
        self.signs = np.append(self.signs, signs)
        self.master.add(columns.astype(float))

    def _add_violated(self, responses: Responses, p: Array) -> int:
        """Add the responses that pay more against p than all known neurons do; how many there were."""
        step = 0.1 * self.options.tol if np.isfinite(responses.bound) else self.options.local_tol
        extended = self.sharp or responses.directions.size * len(self.Z) <= _SMALL
        columns = self._columns(responses.directions, responses.signs, extended)
        pays = payoffs(columns, p) if extended else columns @ p
        fresh = pays > max(self._value(p) * (1.0 + step), float(p @ self.zero))
        if fresh.any():
            self._append(responses.directions[fresh], responses.signs[fresh], columns[fresh])
        return int(fresh.sum())

    def _value(self, p: Array) -> float:
        """Best payoff against p among the neurons already known."""
        return float((payoffs(self.known, p) if self.sharp else self.master.columns @ p).max(initial=0.0))

    def _solve(self) -> Array:
        """Solve the restricted game, keep the best learner, drop columns long out of use; returns p."""
        watch, upper = Clock(), min(self.upper, self.estimate)
        gap = max(0.0, 1.0 - self.lower / upper) if upper > 0.0 else 0.0  # relative, as far as it is known
        try:
            self.solution, self.refined = self.master.solve(self.clock.left, _BESIDE * gap), False
        finally:
            self.master_seconds += watch.seconds
        solution = self.solution
        if self.exact and solution.value - solution.margin > _BLUNT * (self.upper - self.lower):
            solution = self._refine(solution)
        self._keep(solution)
        if (kept := self.master.relieve(solution)) is not None:
            self.directions, self.signs, self._known = self.directions[kept], self.signs[kept], self._known[:0]
            self.solution = solution._replace(weights=solution.weights[kept])
        return solution.p

    def _keep(self, solution: MasterSolution) -> None:
        if solution.margin > self.lower:
            support = np.flatnonzero(solution.weights)
            self.lower = solution.margin
            self.measure = Measure(self.directions[support], (self.signs * solution.weights)[support])

    def _sharpen(self) -> Array:
        """Refine the last LP, and all later ones; the p of the last."""
        if self.solution is not None and self.exact:
            self._keep(self._refine(self.solution))
        return self.p if self.solution is None else self.solution.p

    def _refine(self, solution: MasterSolution) -> MasterSolution:
        watch, self.sharp, self.refined = Clock(), True, True
        self.solution = self.master.refine(solution, self.known, self.clock.left)
        self.master_seconds += watch.seconds
        return self.solution

    def _respond(self, p: Array) -> Responses:
        watch = Clock()
        responses = self.oracle(p * self.y, self.options.count)
        self.oracle_seconds += watch.seconds
        best = float(responses.values[0]) if len(responses.values) else 0.0
        # Without a proof the adversary that looks best is proposed.
        if (responses.bound, best) < (self.upper, self.estimate):
            self.p, self.upper, self.estimate, self.scope = p, responses.bound, best, responses.scope
        self.trace.append(Round(len(self.trace), self.lower, self.upper, best, self.master.size, self.clock.seconds))
        if self.options.progress is not None:
            self.options.progress(self.trace[-1])
        return responses

    def proposal(self, hint: Reason) -> Proposal:
        """The best learner and the best adversary of all rounds."""
        attempts = [Attempt("random directions", "scouted", self.scouted)] if self.scouted else []
        attempts.append(Attempt("highs", self.refusal or "optimal", self.master_seconds))
        name = getattr(self.oracle, "name", type(self.oracle).__name__)
        attempts.append(Attempt(name, hint, self.oracle_seconds))
        rounds = len(self.trace), tuple(attempts), tuple(self.trace)
        return Proposal(self.measure, self.p, hint, self.lower, self.upper, *rounds, scope=self.scope)
