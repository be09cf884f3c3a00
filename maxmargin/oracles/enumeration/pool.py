"""The best directions found so far, and the proved maximum over all that were evaluated.

Both degrees split into ``g(a) = even(a) + odd(a)`` under a -> -a, so that one evaluation serves +-a and both signs:

    max over s and a, -a of s g = |even(a)| + |odd(a)|.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...rounding import UNIT_ROUNDOFF, above, relative_error
from .great_circles import Array, Index, Mask

CHUNK = 256  # candidates evaluated at once: the best of them spare most of the others
MISJUDGED = 1e-7  # a face's maximiser that misses its promise by more (relative to the magnitude) lies outside the face

Parts = Callable[[Array], tuple[Array, Array]]


@dataclass(frozen=True)
class Candidates:
    """Where ``s g`` may be maximal, up to a -> -a.

    Attributes
    ----------
    A : (K, D) unit rows.  signs : (K,) s.
    promised : (K,) the values of ``s g`` at a or -a, unless a face was misjudged.
    local : (K,) whether they are then local maxima of ``s g`` on the sphere.
    """

    A: Array
    signs: Array
    promised: Array
    local: Mask


class Maxima:
    """Keeps the `count` best distinct local maxima, and the largest value of all, in extended precision.

    `top` is the largest value of all candidates, `floor` the value below which a local maximum is of no use; both are
    lowered by what rounding can do to the cumulated sums with which they are compared.

    Parameters
    ----------
    parts : (even, odd) of rows (K, D), in the precision of the rows (`kinks.EvenOdd`).
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
        self._signs = np.empty(0)
        self._best, self._largest = np.eye(1, D), -np.inf
        self.top = self.floor = -self._eta
        self.residual = 0.0  # by how much the x_j were moved to where several hyperplanes meet

    def offer(self, found: Candidates) -> None:
        """Evaluate candidates, best promised value first, while they can still be of use."""
        order = np.argsort(-found.promised, kind="stable")
        for start in range(0, len(order), CHUNK):
            chunk = order[start : start + CHUNK]
            limit = np.where(found.local[chunk], min(self.floor, self.top), self.top)
            chunk = chunk[found.promised[chunk] > limit]
            if len(chunk):
                self._evaluate(
                    Candidates(found.A[chunk], found.signs[chunk], found.promised[chunk], found.local[chunk])
                )

    def offer_anything(self, A: Array) -> None:
        """Evaluate directions (K, D) without a promised value."""
        if len(A):
            even, odd = self._parts(A)
            self._remember(A, np.abs(even) + np.abs(odd))

    def best(self) -> tuple[Array, Array, Array]:
        """Values (K,) decreasing, directions (K, D) and signs (K,) of the local maxima, and of the largest value if it
        was met only where hyperplanes are not in general position (there the local test may fail)."""
        if self._largest < 0.0:
            # Nothing promised more than rounding can do: any direction is as good.
            self.offer_anything(self._best)
        if not len(self.values) or self._largest > self.values[0] + self._eta:
            even, odd = (float(part[0]) for part in self._parts(self._best))
            s = -1.0 if even < 0.0 else 1.0
            t = -s if odd < 0.0 else s
            self._insert(np.array([abs(even) + abs(odd)]), t * self._best, np.array([s]))
        return self.values, self.directions, self._signs

    def proved(self) -> float:
        """The largest value of all directions offered, plus the rounding of its evaluation in extended precision."""
        largest = max(self._largest, 0.0)
        precision = float(np.finfo(np.longdouble).eps)
        return above(largest, 4.0 * self._terms * precision * self._magnitude + 4.0 * UNIT_ROUNDOFF * largest)

    def _evaluate(self, found: Candidates) -> None:
        even, odd = self._parts(found.A)
        self._remember(found.A, np.abs(even) + np.abs(odd))
        even = found.signs * even
        turn = np.where(np.abs(even + odd - found.promised) <= np.abs(even - odd - found.promised), 1.0, -1.0)
        values = even + turn * odd
        kept = found.local & (values > max(self.floor, self._eta))
        kept &= np.abs(values - found.promised) <= MISJUDGED * self._magnitude
        # turn belongs to s g(turn s a): s g(t a) = s even + s t odd
        self._insert(values[kept], (turn * found.signs)[kept, None] * found.A[kept], found.signs[kept])

    def _insert(self, values: Array, A: Array, signs: Array) -> None:
        if not len(values):
            return
        values, signs = np.concatenate([self.values, values]), np.concatenate([self._signs, signs])
        A = np.concatenate([self.directions, A])
        order = np.argsort(-values, kind="stable")
        chosen = order[self._distinct(A[order], signs[order])]
        self.values, self.directions, self._signs = values[chosen], A[chosen], signs[chosen]
        if len(chosen) == self._count:
            self.floor = float(self.values[-1]) - self._eta

    def _remember(self, A: Array, values: Array) -> None:
        """Evaluate once more, in extended precision, the directions whose exact value may be the largest."""
        self.top = max(self.top, float(values.max()) - self._eta)
        near: Any = A[values >= self.top]
        if not len(near):
            return
        even, odd = self._parts(near.astype(np.longdouble))
        exact = np.abs(even) + np.abs(odd)
        k = int(exact.argmax())
        if exact[k] > self._largest:
            self._best, self._largest = near[k : k + 1], float(exact[k])

    def _distinct(self, A: Array, signs: Array) -> Index:
        """Greedy choice, best first, of rows that are pairwise separated or have opposite signs."""
        chosen: list[int] = []
        free = np.ones(len(A), dtype=bool)
        while len(chosen) < self._count and free.any():
            chosen.append(int(free.argmax()))
            free &= (A @ A[chosen[-1]] < self._cosine) | (signs != signs[chosen[-1]])
        return np.array(chosen, dtype=np.intp)
