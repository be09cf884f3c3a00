"""The smooth margin of the two losses and its gradient, in the log domain.

    S(u) = -log( (1/n) sum_i l(-u_i) )                                  (Eq. 6)
    grad_i S(u) = l'(-u_i) / sum_k l(-u_k)

Losses of 1e-800 are ordinary late in the flow, hence nothing here forms l(-u_i) itself: both functions work with
log l and log l'.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..conventions import Array
from ..errors import InputError

# Beyond this output, log(log(1 + e^-u)) = -u - e^-u/2 to the last bit.
_TAIL = 30.0


def _log_logistic(u: Array) -> Array:
    """log l(-u) for l(v) = log(1 + e^v)."""
    clipped = np.minimum(u, _TAIL)
    return np.where(u > _TAIL, -u, np.log(np.logaddexp(0.0, -clipped)))


@dataclass(frozen=True)
class Loss:
    """Loss of docs/theory.rst, A2: ``name`` is "exp" (l(v) = e^v) or "logistic" (l(v) = log(1 + e^v))."""

    name: str

    def __post_init__(self) -> None:
        if self.name not in ("exp", "logistic"):
            raise InputError(f"loss: found {self.name!r}, wanted 'exp' or 'logistic'")

    def evaluate(self, u: Array) -> tuple[float, Array]:
        """S(u) and grad S(u).

        Parameters
        ----------
        u : (n,) outputs times labels, y_i h(x_i).

        Returns
        -------
        S : the smooth margin; for exp, min u <= S <= min u + log n (Eq. 14 with beta = 1).
        p : (n,) its gradient; for exp a point of the simplex (softmax of -u), for logistic only in the limit.
        """
        log_loss = -u if self.name == "exp" else _log_logistic(u)
        top = log_loss.max()
        p = np.exp(log_loss - top)
        total = p.sum()
        if self.name == "exp":
            p /= total
        else:
            p = np.exp(-np.logaddexp(0.0, u) - top) / total
        return math.log(len(u)) - float(top) - math.log(total), p

    def linearise(self, u: Array) -> Linearised:
        """The linearised change of grad S with u; exact for the exponential loss."""
        if self.name == "exp":
            return Linearised(u, np.ones_like(u), 1.0)
        # l'(v) = 1/(1 + e^-v): -log l'(-u) = log(1 + e^u), whose slope is 1/(1 + e^-u)
        slope = np.exp(-np.logaddexp(0.0, -u))
        return Linearised(np.logaddexp(0.0, u), np.maximum(slope, 1e-8), float(self.evaluate(u)[1].sum()))


@dataclass(frozen=True)
class Linearised:
    """log p_i = log grad_i S around one u: p_i ~ exp(-potential_i - slope_i du_i), sum p = total.

    Attributes
    ----------
    potential, slope : (n,).  total : the sum of the p_i.
    """

    potential: Array
    slope: Array
    total: float

    def __getitem__(self, rows: NDArray[np.int64]) -> Linearised:
        return Linearised(self.potential[rows], self.slope[rows], self.total)


def adversary(p: Array) -> Array:
    """The gradient of S scaled to the simplex: the adversary that the flow proposes."""
    return p / p.sum()
