"""The best directions found so far, and the proved maximum over all that were evaluated.

Both degrees split into ``g(a) = even(a) + odd(a)`` under a -> -a, so that one evaluation serves +-a and both signs:

    max over s and a, -a of s g = |even(a)| + |odd(a)|.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..rounding import UNIT_ROUNDOFF, above, relative_error
from .circle import Array, Index

CHUNK = 256  # candidates evaluated at once: the best of them spare most of the others

Parts = Callable[[Array], tuple[Array, Array]]


class Maxima:
    """Keeps the `count` best distinct directions, and every direction that rounding cannot tell from the best.

    `top` is the largest value, `floor` the value below which a direction is of no use; both are lowered by what
    rounding can do to the cumulated sums with which they are compared.

    Parameters
    ----------
    parts : (even, odd) of rows (K, D), in the precision of the rows.
    D : dimension.
    rounding : (magnitude, terms): the sum of the absolute terms of g on the sphere, and how many operations they take.
    count : how many.  separation : directions closer than this angle count as one.
    """

    def __init__(self, parts: Parts, D: int, rounding: tuple[float, int], *, count: int, separation: float) -> None:
        self._parts = parts
        self._count, self._cosine = count, np.cos(separation)
        self._magnitude, self._terms = rounding
        self._eta = 2.0 * relative_error(2 * self._terms) * self._magnitude
        self.values = np.empty(0)
        self.directions = np.empty((0, D))
        self._near = np.empty((0, D))
        self._near_values = np.empty(0)
        self.top = self.floor = -self._eta

    def offer(self, A: Array, promised: Array | None = None) -> None:
        """Evaluate candidate directions (K, D), best promised value first, while they can still be of use."""
        if promised is None or len(A) <= CHUNK:
            self._evaluate(A)
            return
        order = np.argsort(-promised, kind="stable")
        for start in range(0, len(A), CHUNK):
            chunk = order[start : start + CHUNK]
            chunk = chunk[promised[chunk] > self.floor]
            if not len(chunk):
                return
            self._evaluate(A[chunk])

    def proved(self) -> float:
        """The largest value of all directions offered, plus the rounding of its evaluation in extended precision."""
        A = np.unique(self._near, axis=0).astype(np.longdouble)
        even, odd = self._parts(A)
        largest = float((np.abs(even) + np.abs(odd)).max(initial=0.0))
        precision = float(np.finfo(np.longdouble).eps)
        return above(largest, 4.0 * self._terms * precision * self._magnitude + 4.0 * UNIT_ROUNDOFF * largest)

    def _evaluate(self, A: Array) -> None:
        if not len(A):
            return
        even, odd = self._parts(A)
        best, other = np.abs(even) + np.abs(odd), np.abs(even) - np.abs(odd)
        turn = np.where((even < 0.0) != (odd < 0.0), -1.0, 1.0)[:, None]
        self._remember(A, best)
        values = np.concatenate([best, other])
        useful = np.flatnonzero(values >= max(self.floor, 0.0))
        values = np.concatenate([self.values, values[useful]])
        A = np.concatenate([self.directions, np.concatenate([turn * A, -turn * A])[useful]])
        order = np.argsort(-values, kind="stable")
        values, A = values[order], A[order]
        chosen = self._distinct(A)
        self.values, self.directions = values[chosen], A[chosen]
        self.top = float(self.values[0]) - self._eta
        if len(chosen) == self._count:
            self.floor = float(self.values[-1]) - self._eta

    def _remember(self, A: Array, values: Array) -> None:
        """Keep the directions whose exact value may be the largest."""
        A, values = np.concatenate([self._near, A]), np.concatenate([self._near_values, values])
        near = values >= values.max() - self._eta
        self._near, self._near_values = A[near], values[near]

    def _distinct(self, A: Array) -> Index:
        """Greedy choice, best first, of rows that are pairwise separated."""
        chosen: list[int] = []
        free = np.ones(len(A), dtype=bool)
        while len(chosen) < self._count and free.any():
            chosen.append(int(free.argmax()))
            free &= A @ A[chosen[-1]] < self._cosine
        return np.array(chosen, dtype=np.intp)
