"""The one pipeline: proposers give pairs, the game certifies them, the two best ends make a certificate.

in  : a game, its proposers in order, and a budget.
out : a `Certificate`; nothing in it is copied from a solver's report.
Every margin of the package is computed here.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np

from .. import __version__
from ..clock import Clock
from ..conventions import Array
from ..games.certificate import Certificate
from ..games.game import Bracket, Game, Pair, certify
from ..games.problem import Problem
from ..outcome import Attempt, Reason, Scope
from ..progress import Progress, silent

_REST = 0.1, 0.05  # seconds, and part of all, from which what lies between the attempts is one itself
_TEMPERATURES = np.append(0.0, np.geomspace(0.1, 1e9, 60))  # inverse, in units of the range of the margins


@dataclass(frozen=True)
class Budget:
    """The limits for the proof of a margin.

    Attributes
    ----------
    tol : relative gap at which the status is "certified" and the search ends.
    clock : the clock of every loop, oracle and LP.  progress : called regularly with one line of text.
    """

    tol: float = 1e-9
    clock: Clock = field(default_factory=Clock)
    progress: Progress = silent


@dataclass(frozen=True)
class Proved:
    """The best ends so far, with the pair that proves them: learner of `lower`, adversary and proof of `upper`.

    Attributes
    ----------
    learner : attains `bracket.lower`.  p : (n,) adversary of `bracket.upper`.  bracket : the best two ends.
    attempts, rounds, interrupted : of all proposers together.  stopped : ended by Ctrl-C.
    """

    learner: Any
    p: Array
    bracket: Bracket
    attempts: tuple[Attempt, ...] = ()
    rounds: int = 0
    interrupted: bool = False
    stopped: bool = False

    def settled(self, tol: float) -> bool:
        """Whether the bracket is closed, so that no more work is needed."""
        return self.stopped or self.bracket.relative_gap <= tol

    def met(self, pair: Pair, bracket: Bracket) -> Proved:
        """The better of both ends, and the records of both."""
        learner, p, old = self.learner, self.p, self.bracket
        if bracket.lower > old.lower:
            learner = pair.learner
        if bracket.upper < old.upper or (bracket.scope is Scope.SPHERE_EXACT and bracket.upper == old.upper):
            p, upper = pair.p, bracket
        else:
            upper = old
        return Proved(
            learner,
            p,
            replace(upper, lower=max(old.lower, bracket.lower)),
            (*self.attempts, *pair.attempts),
            self.rounds + pair.rounds,
            self.interrupted or pair.reason is Reason.INTERRUPTED,
            self.stopped or pair.stopped,
        )


# Called with the bracket proved so far (None at first); returns a pair, or None when it has nothing to add.
Proposer = Callable[[Proved | None], Pair | None]


def prove(
    problem: Problem, game: Game, proposers: Iterable[Proposer], budget: Budget, training: Array | None = None
) -> Certificate:
    """Certify the pairs of the proposers in turn until the bracket is closed or the time is over.

    Parameters
    ----------
    problem : which margin of which data; goes into the certificate.
    proposers : the first must return a pair.
    training : (n, D) inputs, to evaluate a kernel classifier; not in the JSON.
    """
    with one_thread():
        return conclude(problem, game, _asked(game, proposers, budget), budget, training)


def _asked(game: Game, proposers: Iterable[Proposer], budget: Budget) -> Proved:
    found: Proved | None = None
    for propose in proposers:
        if found is not None and (found.settled(budget.tol) or _zero(game, found)):
            break
        try:
            pair = propose(found)
        except KeyboardInterrupt:
            if found is None:
                raise
            found = replace(found, interrupted=True, stopped=True)
            break
        if pair is not None:
            found = judged(game, pair, found)
    if found is None:
        raise ValueError("proposers: none of them returned a pair")
    return found


def _zero(game: Game, found: Proved) -> bool:
    """Whether the margin is zero up to rounding: no further digit changes the status."""
    return found.bracket.lower <= 0.0 and found.bracket.upper <= game.negligible(found.p)


def judged(game: Game, pair: Pair, found: Proved | None = None) -> Proved:
    """The pair certified by the game, joined with the bracket proved before."""
    watch = Clock()
    bracket = certify(pair.judge or game, pair)
    pair = replace(pair, attempts=(*pair.attempts, Attempt("certification", str(bracket.scope), watch.seconds)))
    if found is not None:
        return found.met(pair, bracket)
    interrupted = pair.reason is Reason.INTERRUPTED
    return Proved(pair.learner, pair.p, bracket, pair.attempts, pair.rounds, interrupted, pair.stopped)


def conclude(
    problem: Problem,
    game: Game,
    found: Proved,
    budget: Budget,
    training: Array | None = None,
    *,
    negligible: float | None = None,
    **more: Any,
) -> Certificate:
    """The certificate of a proved bracket: the only place that makes one from a pair.

    Parameters
    ----------
    negligible : the bound that counts as a margin of zero, instead of the game's own.
    more : further fields of the certificate.
    """
    bracket = found.bracket
    if negligible is None:
        negligible = game.negligible(found.p) if bracket.lower <= 0.0 else 0.0
    attempts, seconds = found.attempts, budget.clock.seconds
    rest = seconds - sum(attempt.seconds for attempt in attempts)
    if rest > max(_REST[0], _REST[1] * seconds):
        attempts = (*attempts, Attempt("everything else", "data read, columns evaluated", rest))
    return Certificate(
        problem=problem,
        bracket=bracket,
        status=bracket.status(budget.tol, negligible, found.interrupted),
        classifier=found.learner,
        adversary=found.p,
        tol=budget.tol,
        attempts=attempts,
        iterations=found.rounds,
        seconds=seconds,
        proof=bracket.proof,
        versions=library_versions(),
        training=training,
        **more,
    )


def library_versions() -> dict[str, str]:
    """Versions of Python and of every package used for a result."""
    return dict(_library_versions())


@cache  # reading them takes longer than a small margin
def _library_versions() -> dict[str, str]:
    packages = ("numpy", "scipy", "scikit-learn", "cvxpy", "highspy", "clarabel", "scs")
    own = {"python": platform.python_version(), "maxmargin": __version__}  # a checkout need not be installed
    return own | {name: version(name) for name in packages}


def softmin_weights(margins: Array, columns: Array, others: Array | None = None, *, order: float = np.inf) -> Array:
    """Soft-min weights exp(-beta u_i) of the temperature that pays a network's own neurons least, (n,).

    At the final temperature of training all weight may be on a single point, which gives a weak bound.

    Parameters
    ----------
    margins : u (n,).  columns : (K, n) votes y_i sigma(a_k.z_i) of the neurons, whose payoffs have the norm of this
        `order`.  others : (n, k) further weights to choose from.
    """
    above = (margins - margins.min()) / (float(np.ptp(margins)) or 1.0)
    P = np.exp(-above[:, None] * _TEMPERATURES)
    P = P / P.sum(axis=0)
    if others is not None:
        P = np.column_stack([others, P])
    return np.ascontiguousarray(P[:, np.argmin(np.linalg.norm(columns @ P, order, axis=0))])


@contextmanager
def one_thread() -> Iterator[None]:
    """Run on one BLAS thread: the engines multiply many small matrices, and further threads would only wait."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield
