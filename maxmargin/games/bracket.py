"""A proved enclosure of a margin, and the status that a reader may conclude from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..conventions import relative_gap
from ..outcome import Status

ROUNDING = "the bracket holds but is wider than the tolerance: rounding is what limits it; rescale the columns of X"

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
