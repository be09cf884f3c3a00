"""An oracle that is built for the support of each question: what it costs does not grow with the points left out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .oracle import Oracle, Responses

Array = NDArray[np.float64]


class Supported:
    """Answers q with the oracle of the points with q_i != 0, for which the payoffs, and the bound, are the same.

    Parameters
    ----------
    Z : (n, D) what the activation sees.
    make : the oracle of any rows of Z, at least one; its proofs must not speak of points (enumeration has none).
    """

    def __init__(self, Z: Array, make: Callable[[Array], Oracle]) -> None:
        self.Z, self._make = Z, make

    def __call__(self, q: Array, count: int = 15) -> Responses:
        """Best responses to q (n,)."""
        q = np.asarray(q, dtype=float)
        support = np.flatnonzero(q)
        if not len(support):
            support = np.arange(min(1, len(q)))
        return self._make(self.Z[support])(q[support], count)
