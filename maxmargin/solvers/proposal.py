"""The result of an F1 solver: a pair for the game to certify, and how it was found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from ..conventions import Array
from ..games.measure import Measure
from ..outcome import Attempt, Reason

CONVERGED, STALLED, INTERRUPTED = Reason.CONVERGED, Reason.STALLED, Reason.INTERRUPTED
FAILED, NOT_SEPARABLE = Reason.FAILED, Reason.NOT_SEPARABLE


class Round(NamedTuple):
    """One line of the trace, path convention: `best_payoff` is the largest payoff found against this round's p.

    Attributes
    ----------
    number : from 0.  lower, upper : the best ends so far, as the solver estimates them.
    best_payoff : the largest payoff found against this round's p.  neurons : columns of the LP.
    seconds : since the start.
    """

    number: int
    lower: float
    upper: float
    best_payoff: float
    neurons: int
    seconds: float


@dataclass(frozen=True)
class Proposal:
    """A learner and an adversary, to be certified by a game.

    Attributes
    ----------
    measure : learner, total variation one (or empty weights 0 when nothing was found).
    p : (n,) adversary, on the simplex.
    reason : why the solver stopped; the certificate's status is decided by the game alone.
    lower, upper : the solver's own estimates in the path convention (`upper` inf without a proving oracle).
    rounds : number of oracle calls.
    attempts : solvers called, with their status and time.
    trace : one entry per round.
    scope : what `upper` covers, as the oracle said it.
    stopped : ended by Ctrl-C: return what there is without further work.
    """

    measure: Measure
    p: Array
    reason: Reason
    lower: float
    upper: float
    rounds: int = 0
    attempts: tuple[Attempt, ...] = ()
    trace: tuple[Round, ...] = ()
    scope: str | None = None
    stopped: bool = False


def merged(first: Proposal, second: Proposal) -> Proposal:
    """The second proposal with the rounds and the seconds of both; solvers of one name are one attempt."""
    attempts = {attempt.name: attempt for attempt in first.attempts}
    for attempt in second.attempts:
        spent = attempts[attempt.name].seconds if attempt.name in attempts else 0.0
        attempts[attempt.name] = replace(attempt, seconds=spent + attempt.seconds)
    trace = (*first.trace, *(item._replace(number=item.number + len(first.trace)) for item in second.trace))
    return replace(second, rounds=first.rounds + second.rounds, attempts=tuple(attempts.values()), trace=trace)


def best_ends(first: Proposal, second: Proposal) -> Proposal:
    """The second proposal with the better learner and the better adversary of both, and the record of both."""
    learner = second if second.lower > first.lower or not first.measure.weights.any() else first
    adversary = second if second.upper <= first.upper else first
    return replace(
        merged(first, second),
        measure=learner.measure,
        lower=learner.lower,
        p=adversary.p,
        upper=adversary.upper,
        scope=adversary.scope,
    )
