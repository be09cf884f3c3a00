"""F1 margins: over all neurons of the sphere, or over a given dictionary."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clock import Clock
from ..games.bracket import Bracket
from ..games.certificate import Certificate
from ..games.measure import Measure
from ..games.variation import DictionaryGame, VariationGame
from ..oracles.lifted.branch import tighten
from ..oracles.oracle import SPHERE_EXACT, Remembering
from ..oracles.selection import EXACT_DIMENSION, certifying_oracle, enumerable, exact_oracle, local_oracle
from ..oracles.spectral import SpectralOracle
from ..oracles.supported import Supported
from ..outcome import Attempt
from ..solvers import conic
from ..solvers.column_generation import ColumnGeneration
from ..solvers.dictionary import max_margin_dictionary
from ..solvers.proposal import INTERRUPTED, Proposal, Round
from ..solvers.prune import prune
from ..solvers.search import search
from ..text import bracket_text
from .request import Request

Array = NDArray[np.float64]

ENGINES = ("auto", "highs")
COLUMNS_SHARE = 0.5  # of a time limit, at most, for the lower end; the upper end gets what is left
BRANCHING_GAP = 1e-3  # for the upper end when there is no time limit
SEARCHED = 0.1  # part of the tolerance that the search may use up: the rest is for rounding
ENUMERATION_SHARE = 0.5  # of the time left: a relaxation must still be possible
FEW = 0.25  # a single enumeration may take so many times longer than each of many
LOCALLY_MANY = 20_000  # points from which a local search works on some of them: the support is large
_UNIT = 1e-14  # norms that are one up to this are not divided by


@dataclass(frozen=True)
class Proved:
    """A bracket with the pair that proves it."""

    bracket: Bracket
    measure: Measure
    p: Array
    proof: dict[str, Any] | None = None
    attempts: tuple[Attempt, ...] = ()
    iterations: int = 0
    interrupted: bool = False
    stopped: bool = False  # by Ctrl-C: no further work


@contextmanager
def _one_thread() -> Iterator[None]:
    """The engines multiply many small matrices: threads of BLAS would only wait for each other."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield


@_one_thread()
def dictionary_margin(request: Request, directions: Array) -> Certificate:
    """F1 over the given unit directions (K, D), scope "dictionary"."""
    clock, unit, feature = Clock(request.time_limit), _unit(request.Z), request.feature
    game = DictionaryGame(request.Z, request.data.y, feature, request.convention, directions=directions)
    proposal = max_margin_dictionary(unit, game.y, feature, directions, _search(request, clock))
    if request.solver != "auto" and not proposal.stopped:
        proposal = _conic(request, feature.evaluate(directions, unit), directions, proposal)
    measure = _classifier(request, proposal)
    proved = _proved(game.certify(measure, proposal.p), measure, proposal)
    certificate = _certificate(request, game, proved, clock)
    return replace(certificate, dictionary_sha256=dictionary_hash(directions), dictionary=directions)


def dictionary_hash(directions: Array) -> str:
    """sha256 of the shape and the little-endian float64 bytes of the unit directions (K, D)."""
    digest = hashlib.sha256(np.array(directions.shape, dtype="<i8").tobytes())
    digest.update(np.ascontiguousarray(directions, dtype="<f8").tobytes())
    return digest.hexdigest()


@_one_thread()
def sphere_margin(request: Request) -> Certificate:
    """F1 over all neurons: exact enumeration in low dimension, else column generation and a proved relaxation."""
    clock, Z = Clock(request.time_limit), request.Z
    game = VariationGame(
        Z, request.data.y, request.feature, request.convention, oracle=SpectralOracle(Z, request.feature)
    )
    prove = _enumerated if Z.shape[1] <= EXACT_DIMENSION else _relaxed
    return _certificate(request, game, prove(request, game, clock), clock)


def _enumerated(request: Request, game: VariationGame, clock: Clock) -> Proved:
    """Column generation with the exact oracle, which also proves the upper end."""
    unit = _unit(request.Z)
    proposal = search(
        _search(request, clock), unit, game.y, request.feature, lambda Z, _: exact_oracle(Z, request.feature)
    )
    proposal = _second_opinion(request, unit, proposal)
    measure = _classifier(request, proposal)
    exact = replace(game, oracle=Supported(request.Z, partial(certifying_oracle, feature=request.feature)))
    return _proved(exact.certify(measure, proposal.p), measure, proposal)


def _relaxed(request: Request, game: VariationGame, clock: Clock) -> Proved:
    """Column generation with the local oracle; then a proof: by enumeration while affordable, else by relaxation."""
    unit, feature = _unit(request.Z), request.feature
    rng, options = np.random.default_rng(request.seed), _search(request, clock, share=COLUMNS_SHARE)
    proposal = search(
        options, unit, game.y, feature, lambda Z, starts: local_oracle(Z, feature, rng, starts), many=LOCALLY_MANY
    )
    if not proposal.stopped and enumerable(unit, feature, proposal.p, FEW):
        proposal, game = _finished(request, game, proposal, clock)
    proposal = _second_opinion(request, unit, proposal)
    measure = _classifier(request, proposal)
    game = replace(game, oracle=Remembering(game.oracle))
    proof = game.best_response(proposal.p, count=1).proof
    proved = replace(_proved(game.certify(measure, proposal.p), measure, proposal), proof=proof)
    if proved.stopped or proved.bracket.scope == SPHERE_EXACT or proved.bracket.relative_gap <= request.tol:
        return proved
    return _bounded(request, game, proved, clock)


def _finished(
    request: Request, game: VariationGame, proposal: Proposal, clock: Clock
) -> tuple[Proposal, VariationGame]:
    """The proposal judged by enumeration; where that says that it can be better, and is fast, searched with it, too."""
    feature, soon = request.feature, clock.part(ENUMERATION_SHARE)
    judge = replace(game, oracle=Remembering(exact_oracle(request.Z, feature, soon)))
    answer = judge.best_response(proposal.p, count=1)
    near = game.lower(proposal.measure) >= (1.0 - SEARCHED * request.tol) * game.factor * answer.bound
    if answer.scope != SPHERE_EXACT:
        return proposal, game  # out of time
    unit = _unit(request.Z)
    if near or clock.left <= 0.0 or not enumerable(unit, feature, proposal.p):
        return proposal, judge
    oracle = exact_oracle(unit, feature, soon)
    exact = _search(request, clock)(unit, game.y, feature, oracle, initial=proposal.measure)
    attempts, rounds = proposal.attempts + exact.attempts, proposal.rounds + exact.rounds
    found = replace(exact, attempts=attempts, rounds=rounds)
    exactly = exact.scope == SPHERE_EXACT
    return found, replace(game, oracle=exact_oracle(request.Z, feature)) if exactly else game


def _bounded(request: Request, game: VariationGame, proved: Proved, clock: Clock) -> Proved:
    """Lower the upper end by the lifted relaxation, branched: for a few rounds, or until the time limit."""
    limits: dict[str, Any] = {"max_rounds": request.branching_rounds, "tolerance": BRANCHING_GAP}
    if request.time_limit is not None:
        limits = {"clock": clock, "tolerance": request.tol, "n_jobs": min(2, os.cpu_count() or 1)}
    known: dict[str, Any] = {"p": proved.p, "lower": proved.bracket.lower / game.factor, "progress": request.progress}
    try:
        found = tighten(game.Z, game.y, game.feature, **limits, **known)
    except KeyboardInterrupt:  # while the first relaxation was set up: nothing better to keep
        return replace(proved, interrupted=True)
    attempts = (*proved.attempts, *(Attempt(item["name"], item["status"], item["seconds"]) for item in found.attempts))
    stopped = found.attempts[-1]["status"] == INTERRUPTED  # by Ctrl-C
    tried = replace(proved, attempts=attempts, interrupted=proved.interrupted or stopped or clock.left <= 0.0)
    bracket = game.certify_with(found.proof, proved.measure, found.adversary, found.scope)
    if bracket.upper >= proved.bracket.upper:
        return tried
    return replace(tried, bracket=bracket, p=found.adversary, proof=found.proof)


def _second_opinion(request: Request, Z: Array, proposal: Proposal) -> Proposal:
    """With a named solver, solve the finite program over the neurons found once more, through CVXPY."""
    if request.solver in ENGINES or proposal.stopped or not proposal.measure.weights.any():
        return proposal
    features = request.feature.evaluate(proposal.measure.directions, Z)
    return _conic(request, features, proposal.measure.directions, proposal)


def _conic(request: Request, features: Array, directions: Array, fallback: Proposal) -> Proposal:
    """CVXPY's answer over finitely many neurons; without one, the fallback, with both attempts on record."""
    y = request.data.y
    unit = float(np.abs(features).max()) or 1.0
    solution = conic.solve(conic.variation_program(features / unit, y), request.solver)
    attempts = (Attempt(f"cvxpy/{request.solver}", solution.status, solution.seconds), *fallback.attempts)
    if solution.status == INTERRUPTED:
        return replace(fallback, attempts=attempts, hint=INTERRUPTED, stopped=True)
    if solution.variable is None or solution.dual is None or not solution.dual.any():
        return replace(fallback, attempts=attempts)
    p = solution.dual / solution.dual.sum()
    return replace(fallback, measure=Measure(directions, solution.variable), p=p, attempts=attempts)


def _classifier(request: Request, proposal: Proposal) -> Measure:
    """The proposed measure, of total variation one, on at most n + 1 neurons (Caratheodory)."""
    measure = _weighed(proposal.measure, request.feature.degree)
    return measure if len(measure) <= request.data.n + 1 else prune(measure, _unit(request.Z), request.feature)


def _weighed(measure: Measure, degree: int) -> Measure:
    """Total variation one; what is normalised stays, since rounding it again would move kinks and margins."""
    kept = measure.weights != 0.0
    if not kept.any() or np.abs(np.linalg.norm(measure.directions, axis=1) - 1.0).max() > _UNIT:
        return measure.normalised(degree)
    weights, total = measure.weights[kept], float(np.abs(measure.weights).sum())
    return Measure(measure.directions[kept], weights if abs(total - 1.0) <= _UNIT else weights / total)


def _proved(bracket: Bracket, measure: Measure, proposal: Proposal) -> Proved:
    interrupted = proposal.hint == INTERRUPTED
    return Proved(bracket, measure, proposal.p, None, proposal.attempts, proposal.rounds, interrupted, proposal.stopped)


def _certificate(request: Request, game: VariationGame | DictionaryGame, proved: Proved, clock: Clock) -> Certificate:
    negligible = game.negligible(proved.p) if proved.bracket.lower <= 0.0 else 0.0
    return Certificate(
        problem=request.problem,
        bracket=proved.bracket,
        status=proved.bracket.status(request.tol, negligible, proved.interrupted),
        classifier=proved.measure,
        adversary=proved.p,
        tol=request.tol,
        attempts=proved.attempts,
        iterations=proved.iterations,
        seconds=clock.seconds,
        proof=proved.proof,
        training=request.Z,
    )


def _unit(Z: Array) -> Array:
    """The inputs in a unit in which their lengths are about one: a power of two, so that nothing is rounded."""
    return np.ldexp(Z, -int(np.frexp(float(np.abs(Z).max()))[1]))


def _search(request: Request, clock: Clock, share: float = 1.0) -> ColumnGeneration:
    return ColumnGeneration(
        tol=SEARCHED * request.tol,
        seed=request.seed,
        time_limit=share * clock.left,
        max_rounds=10_000 if request.max_rounds is None else request.max_rounds,
        progress=_rounds(request),
    )


def _rounds(request: Request) -> Callable[[Round], None]:
    def show(item: Round) -> None:
        request.progress(f"round {item.number}  {bracket_text(item.lower, item.upper)}  neurons {item.neurons}")

    return show
