"""F1 margins: the game and its proposers, over all neurons of the sphere or over a given dictionary.

======================  =============================================================================================
proposer                pair
======================  =============================================================================================
`Search.contradiction`  two equal points with opposite labels
`Search.started`        the neurons of a network that the caller has, and its soft-min weights
`Search.columns`        column generation: exact best responses up to D = 3, local ascent above
`Search.enumerated`     above D = 3, where the support allows: the search continued with exact best responses
`Search.relaxed`        above D = 3: the lifted relaxation's adversary, branched, with its proof
======================  =============================================================================================
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ..conventions import Array, digest, variation_factor
from ..games.certificate import Certificate
from ..games.game import Game, Pair
from ..games.measure import Measure
from ..games.opposed_points import ray_pair
from ..games.soft import capped
from ..games.variation import DictionaryGame, VariationGame, equal_pair
from ..oracles.lifted.branch import tighten
from ..oracles.lifted.root import lifted_bound
from ..oracles.oracle import Oracle
from ..oracles.selection import EXACT_DIMENSION, Proving, enumerable, exact_oracle, local_oracle
from ..oracles.spectral import SpectralOracle
from ..outcome import Attempt, Reason, Scope
from ..progress import silent
from ..solvers import conic
from ..solvers.column_generation import ColumnGeneration
from ..solvers.proposal import Proposal, Round
from ..solvers.search import MANY, max_margin_dictionary, prune, search
from ..text import gap_text
from .prove import Budget, Proposer, Proved, prove, softmin_weights
from .request import Request

ENGINES = ("auto", "highs")
COLUMNS_SHARE = 0.5  # of a time limit, at most, for the lower end; the upper end gets what is left
BRANCHING_GAP = 1e-3  # relative gap at which no more work goes into the upper end
SEARCHED = 0.1  # fraction of the tolerance at which the search stops: the rest is for rounding
LOCAL_CROWD = 600, 100  # from so many points on the LP is what takes time: so many neurons a round, no random ones
LOCAL_SMOOTHING = 0.6  # weight of the last adversary in the next one: in high dimension the LP's vertices jump more
IDLE = 8e6  # faces that a search without a time limit looks at while its gap is not halved: three seconds
LOCALLY_MANY = 20_000  # number of points from which a local search uses a working set
_UNIT = 1e-14  # a norm within this distance of one is not divided out


def dictionary_margin(request: Request, directions: Array) -> Certificate:
    """F1 over the given unit directions (K, D), scope "dictionary"."""
    data, feature = request.data, request.feature
    game = DictionaryGame(request.Z, data.y, feature, request.convention, directions=directions)
    asked = Search(request, request.budget())

    def propose(_: Proved | None) -> Pair:
        unit = asked.unit
        found = max_margin_dictionary(unit, data.y, feature, directions, asked.options())
        pair = asked.pair(asked.second_opinion(found, directions))
        return replace(pair, judge=None)  # `judge` bounds over all neurons, not over this dictionary

    certificate = prove(request.problem, request.softened(game), [propose], asked.budget, request.Z)
    return replace(certificate, dictionary_sha256=digest(directions), dictionary=directions)


@dataclass(frozen=True)
class Search:
    """F1 over the sphere: exact enumeration in low dimension, else column generation and a proved relaxation.

    Attributes
    ----------
    request : the margin asked for.  budget : its limits.
    """

    request: Request
    budget: Budget

    @property
    def game(self) -> Game:
        """F1 over all neurons; its oracle enumerates where that is cheap and bounds elsewhere."""
        if self.request.quick and not self.exact:
            return self.cheap
        return self._judged(Proving(self.request.Z, self.request.feature, self.budget.clock))

    @property
    def cheap(self) -> Game:
        """The same with a bound that takes no time."""
        return self._judged(SpectralOracle(self.request.Z, self.request.feature, clock=self.budget.clock))

    @property
    def proposers(self) -> list[Proposer]:
        """The proposers in order."""
        upper = [] if self.exact or self.request.quick else [self.enumerated, self.relaxed]
        return [self.contradiction, self.started, self.columns, *upper]

    @property
    def exact(self) -> bool:
        """Whether every adversary can be answered by enumeration."""
        return self.request.Z.shape[1] <= EXACT_DIMENSION

    @property
    def unit(self) -> Array:
        """The inputs in a unit in which their lengths are about one: a power of two, so that nothing is rounded."""
        Z = self.request.Z
        return np.ldexp(Z, -int(np.frexp(float(np.abs(Z).max()))[1]))

    @property
    def start(self) -> Measure | None:
        """The caller's neurons, of total variation one; None without any that has a weight."""
        start = self.request.start
        return None if start is None or not start.weights.any() else start.normalised(self.request.feature.degree)

    def contradiction(self, _: Proved | None) -> Pair | None:
        """Weights on two equal points with opposite labels, or on two of one ray, that pay no neuron: margin 0."""
        request, Z, y = self.request, self.request.Z, self.request.data.y
        if request.nu is not None or request.solver not in ENGINES:
            return None
        p = equal_pair(Z, y)
        if p is None and not request.bias:
            p = ray_pair(Z, y, request.feature)
        if p is None:
            return None
        nothing = Measure(np.eye(1, Z.shape[1]), np.zeros(1)).normalised(request.feature.degree)
        judge = self._judged(Proving(Z, request.feature))
        return Pair(nothing, p, Reason.NOT_SEPARABLE, judge=judge)

    def started(self, _: Proved | None) -> Pair | None:
        """The neurons that the caller starts from, a trained network say, with soft-min weights as the adversary.

        Enumeration needs no such adversary: its first round is as quick as the answer to this one.
        """
        request, measure = self.request, self.start
        if measure is None or self.exact:
            return None
        columns = request.feature.evaluate(measure.directions, self.unit) * request.data.y
        p = softmin_weights(measure.weights @ columns, columns)
        return Pair(measure, capped(p, request.cap), Reason.STALLED, judge=self.cheap)

    def columns(self, found: Proved | None) -> Pair:
        """Column generation, from the neurons found so far."""
        request, feature, unit = self.request, self.request.feature, self.unit
        y, initial = request.data.y, self.start
        exact = partial(exact_oracle, feature=feature)
        if self.exact:
            options, many = self.options(), MANY
            if unit.shape[1] == 2 and feature.degree == 1 and request.nu is None:
                from ..solvers.spline_search import LINES, SplineSearch

                options, many = SplineSearch(**vars(options)), LINES
            if len(y) < many:
                better = options(unit, y, feature, exact(unit), initial)
            else:
                better = search(options, unit, y, feature, exact, initial=initial, many=many)
        else:
            rng = np.random.default_rng(request.seed)
            options = replace(self.options(1.0 if request.quick else COLUMNS_SHARE), smoothing=LOCAL_SMOOTHING)
            if len(y) >= LOCAL_CROWD[0]:
                options = replace(options, count=LOCAL_CROWD[1], scouts=0)
            local = partial(local_oracle, feature=feature, seed=rng)
            better = search(options, unit, y, feature, local, initial=initial, many=LOCALLY_MANY)
        return self.pair(self.second_opinion(better))

    def enumerated(self, found: Proved | None) -> Pair | None:
        """Column generation from the neurons found so far, with exact best responses where the support allows."""
        request, clock = self.request, self.budget.clock
        if found is None or found.bracket.scope is not Scope.SPHERE_EXACT or clock.expired:
            return None
        near = found.bracket.lower >= (1.0 - SEARCHED * request.tol) * found.bracket.upper
        if near or request.solver not in ENGINES or not enumerable(self.unit, request.feature, found.p):
            return None
        oracle = exact_oracle(self.unit, request.feature, clock.part(COLUMNS_SHARE))
        options = replace(self.options(), idle=math.inf if clock.limited else IDLE)
        exact = options(self.unit, request.data.y, request.feature, oracle, initial=found.learner)
        return self.pair(exact)

    def relaxed(self, found: Proved | None) -> Pair | None:
        """The upper end by the lifted relaxation, branched: for a few rounds, or until the time limit."""
        request, clock = self.request, self.budget.clock
        if found is None or found.bracket.scope is Scope.SPHERE_EXACT:
            return None
        Z, y, feature, convention = self._data
        known: dict[str, Any] = {"p": found.p, "progress": self.budget.progress}
        known["lower"] = found.bracket.lower / variation_factor(feature.degree, convention)
        if request.nu is not None:  # the relaxation's own adversary would not stay below the cap
            bound = lifted_bound(Z, y, feature, clock=clock, tolerance=BRANCHING_GAP, fixed=True, **known)
        elif clock.limited:
            jobs = min(2, os.cpu_count() or 1)
            bound = tighten(Z, y, feature, clock=clock, tolerance=request.tol, n_jobs=jobs, **known)
        else:
            bound = tighten(Z, y, feature, max_rounds=request.branching_rounds, tolerance=BRANCHING_GAP, **known)
        attempts = tuple(Attempt(item["name"], item["status"], item["seconds"]) for item in bound.attempts)
        stopped = attempts[-1].status == Reason.INTERRUPTED
        reason = Reason.INTERRUPTED if stopped or clock.expired else Reason.STALLED
        proof = bound.proof or None
        return Pair(found.learner, bound.adversary, reason, attempts, proof=proof, stopped=stopped)

    def pair(self, found: Proposal) -> Pair:
        """The proposed measure, of total variation one, on at most n + 1 neurons (Caratheodory)."""
        request, degree = self.request, self.request.feature.degree
        measure = _weighed(found.measure, degree)
        if len(measure) > request.data.n + 1:
            measure = prune(measure, self.unit, request.feature)
        p = found.p if request.nu is None else capped(found.p, request.cap)
        judge = self._judged(SpectralOracle(request.Z, request.feature)) if found.stopped and not self.exact else None
        return Pair(measure, p, found.reason, found.attempts, found.rounds, judge=judge, stopped=found.stopped)

    def options(self, share: float = 1.0) -> ColumnGeneration:
        """Column generation for this share of the time left."""
        request = self.request
        return ColumnGeneration(
            tol=SEARCHED * request.tol,
            local_tol=request.local_tol,
            seed=request.seed,
            time_limit=share * self.budget.clock.left,
            max_rounds=10_000 if request.max_rounds is None else request.max_rounds,
            progress=self._rounds(),
            cap=request.cap,
        )

    def second_opinion(self, found: Proposal, directions: Array | None = None) -> Proposal:
        """With a named solver: CVXPY's answer over the neurons found (or all `directions`); without one, the same.

        Where CVXPY has no answer the proposal stays, with both attempts on record.
        """
        request = self.request
        ours = ("auto",) if directions is not None else ENGINES
        if request.solver in ours or found.stopped or (directions is None and not found.measure.weights.any()):
            return found
        directions = found.measure.directions if directions is None else directions
        features = request.feature.evaluate(directions, self.unit)
        unit = float(np.abs(features).max()) or 1.0
        solution = conic.solve(conic.variation_program(features / unit, request.data.y), request.solver)
        attempts = (Attempt(f"cvxpy/{request.solver}", solution.status, solution.seconds), *found.attempts)
        if solution.status == Reason.INTERRUPTED:
            return replace(found, attempts=attempts, reason=Reason.INTERRUPTED, stopped=True)
        if solution.variable is None or solution.dual is None or not solution.dual.any():
            return replace(found, attempts=attempts)
        p = solution.dual / solution.dual.sum()
        return replace(found, measure=Measure(directions, solution.variable), p=p, attempts=attempts)

    @property
    def _data(self) -> tuple[Any, ...]:
        request = self.request
        return request.Z, request.data.y, request.feature, request.convention

    def _judged(self, oracle: Oracle) -> Game:
        return self.request.softened(VariationGame(*self._data, oracle=oracle))

    def _rounds(self) -> Callable[[Round], None] | None:
        """Progress lines of the search; its gap is an estimate, because the game certifies both ends afterwards."""
        if self.budget.progress is silent:
            return None

        least = math.inf

        def show(item: Round) -> None:
            nonlocal least
            least = min(least, item.upper, item.best_payoff)
            gap = max(least - item.lower, 0.0) / least if least > 0.0 else 0.0
            self.budget.progress(f"round {item.number}, estimated gap {gap_text(gap)}, {item.neurons} neurons")

        return show


def _weighed(measure: Measure, degree: int) -> Measure:
    """Total variation one; what is normalised stays, since rounding it again would move kinks and margins."""
    kept = measure.weights != 0.0
    if not kept.any() or np.abs(np.linalg.norm(measure.directions, axis=1) - 1.0).max() > _UNIT:
        return measure.normalised(degree)
    weights, total = measure.weights[kept], float(np.abs(measure.weights).sum())
    return Measure(measure.directions[kept], weights if abs(total - 1.0) <= _UNIT else weights / total)
