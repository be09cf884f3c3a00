"""The contract of a game: a ball for the learner, an oracle for the adversary, and the bracket that a pair proves.

    gamma = max_{norm(f) <= 1} min_i y_i f(x_i) = min_p max_{norm(f) <= 1} sum_i p_i y_i f(x_i)

in  : data and a ball.   out : brackets, recomputed from any proposed (learner, adversary) pair.
A new game states `margins`, `norm`, `lower`, `best_response` and `negligible`; `certify` and the pipeline follow.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

from ..conventions import Array, relative_gap
from ..errors import InputError
from ..outcome import Attempt, Reason, Scope, Status

ROUNDING = "the bracket holds but is wider than the tolerance: rounding limits it; rescale the columns of X"

# An adversary whose best payoff is below this fraction of the data's scale is a proof of gamma = 0 up to rounding.
ZERO = 1e-12
# The payoff in a kernel game is the square root of a quadratic form that is zero up to rounding.
KERNEL_ZERO = 1e-6


@dataclass(frozen=True)
class Bracket:
    """``lower <= gamma <= upper``, both recomputed from a (learner, adversary) pair and rounded outward.

    Attributes
    ----------
    lower : ``min_i y_i f(x_i) / norm(f)`` of the learner, at least 0 (f = 0 is always allowed).
    upper : the best payoff against the adversary, ``max_f sum_i p_i y_i f(x_i)`` over the unit ball.
    scope : what `upper` covers: "sphere-exact", "sphere-bound", "dictionary" or "kernel".
    proof : dual multipliers that `upper` rests on; None when the game's own arithmetic is the proof.
    """

    lower: float
    upper: float
    scope: str
    proof: dict[str, Any] | None = field(default=None, repr=False, compare=False)

    @property
    def relative_gap(self) -> float:
        """(upper - lower) / upper; 0 when both ends are 0."""
        return relative_gap(self.lower, self.upper)

    def status(self, tol: float, negligible: float, interrupted: bool = False) -> Status:
        """Conclude: zero margin, certified to `tol`, interrupted, or merely bracketed.

        `negligible` is the payoff that counts as zero: a multiple of ``sum_i p_i |z_i|``, say, by `ZERO`.
        """
        if self.lower <= 0.0 and self.upper <= negligible:
            return Status.NOT_SEPARABLE
        if self.relative_gap <= tol:
            return Status.CERTIFIED
        return Status.INTERRUPTED if interrupted else Status.BRACKETED


@dataclass(frozen=True)
class Response:
    """The answer to an adversary p, in the units of the margin.

    Attributes
    ----------
    learner : an f of the unit ball with a large payoff against p.
    value : its payoff; evaluated, hence an estimate up to rounding.
    bound : proved ``sum_i p_i y_i f(x_i) / sum_i p_i <= bound`` for every f of the ball; inf if nothing is proved.
    scope : what the bound covers.
    proof : what a checker needs besides p, JSON-able; None when the game's own arithmetic is the proof.
    """

    learner: Any
    value: float
    bound: float
    scope: Scope
    proof: dict[str, Any] | None = None


@dataclass(frozen=True)
class Pair:
    """A proposal: a learner, an adversary, and how the proposer found them.

    Attributes
    ----------
    learner : any element of the game's space.
    p : (n,) adversary weights >= 0.
    reason : why the proposer stopped.  attempts : the solvers it called.  rounds : its iterations.
    proof : dual multipliers for p that the proposer already has; verified, never trusted.
    judge : the same game with a finer arithmetic or a better oracle for this p; None for the game asked.
    stopped : ended by Ctrl-C: return what there is without further work.
    """

    learner: Any
    p: Array
    reason: Reason = Reason.CONVERGED
    attempts: tuple[Attempt, ...] = ()
    rounds: int = 0
    proof: dict[str, Any] | None = None
    judge: Game | None = None
    stopped: bool = False


class Game(ABC):
    """A zero-sum game between a learner in the unit ball of a norm and weights on n points."""

    @abstractmethod
    def margins(self, learner: Any) -> Array:
        """y_i f(x_i), shape (n,)."""

    @abstractmethod
    def norm(self, learner: Any) -> float:
        """The norm whose unit ball the learner plays in."""

    @abstractmethod
    def lower(self, learner: Any) -> float:
        """min_i y_i f(x_i) / norm(f), rounded down; at least 0, since f = 0 is allowed."""

    @abstractmethod
    def best_response(self, p: Array) -> Response:
        """An f of the unit ball with a large payoff against p >= 0, and a proved bound on all payoffs."""

    @abstractmethod
    def negligible(self, p: Array) -> float:
        """Bounds that count as a margin of zero for this p; -1.0 when none does."""

    def response_from(self, proof: dict[str, Any], p: Array) -> Response:
        """The response to p that stored dual multipliers prove.

        Raises
        ------
        InputError : this game knows no such proofs.
        """
        raise InputError(
            f"pair: a stored proof needs response_from of the game; {type(self).__name__} has none, leave the proof out"
        )

    def certify(self, learner: Any, p: Array) -> Bracket:
        """Bracket of the margin from any learner and any p >= 0."""
        return certify(self, Pair(learner, p))


def certify(game: Game, pair: Pair) -> Bracket:
    """Both ends that a pair proves, recomputed, with the proof of the upper end."""
    p, proof = pair.p, pair.proof
    response = game.best_response(p) if proof is None else game.response_from(proof, p)
    return Bracket(game.lower(pair.learner), response.bound, response.scope, response.proof)
