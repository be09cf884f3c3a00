"""The kernel game (F2, tangent kernel): the learner picks f in the unit ball of an RKHS, the adversary weights p.

    gamma^2 = max_{|f| <= 1} (min_i y_i f(x_i))^2 = min_p p' Y K Y p,      best response to p: f ~ sum_i p_i y_i K(x_i, .)

(Eq. 5 of the paper; theory.md A1).  There is no intercept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .. import rounding
from ..errors import InputError
from .bracket import Bracket

Array = NDArray[np.float64]

KERNEL = "kernel"
_CHUNK = 1 << 21  # Gram entries per chunk of a sum over rows
_LONG = np.longdouble
_ULP = 4.0 * rounding.UNIT_ROUNDOFF  # covers a conversion to float64 and the operation after it
_LONG_ROUNDOFF = float(np.finfo(_LONG).eps) / 2.0  # 2^-64 on x86, 2^-53 where long double is double


class Gram(Protocol):
    """What a Gram matrix must offer: an ndarray, or `features.kernels_lazy.LazyGram`, which computes rows on demand."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def diagonal(self) -> Array: ...
    def __getitem__(self, rows: Any) -> Array: ...


@dataclass(frozen=True)
class KernelExpansion:
    """f(x) = sum_i c_i K(x_i, x) with |f|^2 = c'Kc; coefficients c (n,)."""

    coefficients: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "coefficients", np.atleast_1d(np.ascontiguousarray(self.coefficients, dtype=float)))


class BestResponse(NamedTuple):
    """The function f that the adversary pays best (not normalised), and its payoff ``max_{|f|<=1} sum p_i y_i f(x_i)``."""

    learner: KernelExpansion
    value: float


@dataclass(frozen=True)
class KernelGame:
    """The max-margin game over the ball of an RKHS.

    Attributes
    ----------
    K : (n, n) Gram matrix of the training points, exactly symmetric, float64 (or rows on demand, see `Gram`).
    y : (n,) labels +-1.
    scale : the Gram matrix is scale^2 K, so that margins are scale times those of K (1e-150 .. 1e150 without overflow).
    entry_error : bound on ``|K_ij - true| / sqrt(K_ii K_jj)``, 0 when K itself is the kernel.

    Raises
    ------
    InputError : K is not square, or y has another length.
    """

    K: Gram
    y: Array
    scale: float = 1.0
    entry_error: float = 0.0

    def __post_init__(self) -> None:
        n = len(self.y)
        if self.K.shape != (n, n):
            raise InputError(f"Gram matrix: found shape {self.K.shape} with {n} labels, wanted ({n}, {n})")

    def margins(self, learner: KernelExpansion) -> Array:
        """y_i f(x_i), shape (n,)."""
        return self.scale * self.scale * self.y * _times(self.K, learner.coefficients)

    def norm(self, learner: KernelExpansion) -> float:
        """sqrt(c'Kc)."""
        c = learner.coefficients
        return self.scale * math.sqrt(max(float(c @ _times(self.K, c)), 0.0))

    def unit(self, learner: KernelExpansion) -> KernelExpansion:
        """The same direction with norm one; f = 0 stays."""
        norm = self.norm(learner)
        return KernelExpansion(learner.coefficients / norm) if norm > 0.0 else learner

    def best_response(self, p: Array) -> BestResponse:
        """c = y p, with payoff sqrt(p' Y K Y p)."""
        learner = KernelExpansion(self.y * p)
        return BestResponse(learner, self.norm(learner))

    def size(self, p: Array) -> float:
        """sum_i p_i |K(x_i, .)|: no f in the unit ball can be paid more (what gamma = 0 is measured against)."""
        return self.scale * float(p @ np.sqrt(np.maximum(self.K.diagonal(), 0.0)))

    def certify(self, learner: KernelExpansion, p: Array) -> Bracket:
        """Bracket of gamma from any coefficients and any p >= 0, every rounding included.

        Sums run in extended precision (where the machine has it): for nearly opposite points gamma^2 is tiny beside
        K_ii, and what is left of the double-precision sum would be mostly rounding.
        """
        lower = self._lower(learner.coefficients)
        square, error = self._square(self.y * p)
        payoff = math.sqrt(max(square + error, 0.0)) / float(p.sum())
        return Bracket(lower, rounding.above(self.scale * payoff, rounding.dot_error(self.scale * payoff, len(p))), KERNEL)

    def _lower(self, c: Array) -> float:
        """min_i y_i f(x_i) / |f|, rounded down, at least 0."""
        outputs, errors = self._outputs(c)
        margins = self.y * outputs - errors
        least = float(margins.min()) * (1.0 - _ULP)
        square, error = self._form(c, outputs, errors)
        if least <= 0.0 or not square + error > 0.0:
            return 0.0
        ratio = self.scale * least / math.sqrt(square + error)
        return max(0.0, rounding.below(ratio, rounding.dot_error(ratio, 4)))

    def _square(self, c: Array) -> tuple[float, float]:
        """c'Kc and a bound on its error."""
        return self._form(c, *self._outputs(c))

    def _form(self, c: Array, outputs: Array, errors: Array) -> tuple[float, float]:
        value = c.astype(_LONG) @ outputs
        return float(value), float(np.abs(c) @ (errors + _long_error(len(c)) * np.abs(outputs))) + _ULP * abs(float(value))

    def _outputs(self, c: Array) -> tuple[NDArray[Any], Array]:
        """(Kc)_i in extended precision and a bound on the error of each entry."""
        support = np.flatnonzero(c)
        outputs, magnitude = np.zeros(len(c), _LONG), np.zeros(len(c))
        for part in _parts(support, len(c)):
            rows = self.K[part]
            outputs += c[part].astype(_LONG) @ rows.astype(_LONG)
            magnitude += np.abs(c[part]) @ np.abs(rows)
        errors = 1.01 * _long_error(len(support)) * magnitude
        if self.entry_error:
            radii = np.sqrt(np.maximum(self.K.diagonal(), 0.0))
            errors += 1.01 * self.entry_error * float(np.abs(c) @ radii) * radii
        return outputs, errors


def _long_error(terms: int) -> float:
    """Relative error of an extended-precision sum of that many products (a few operations to spare)."""
    accumulated = (2 * terms + 16) * _LONG_ROUNDOFF
    return accumulated / (1.0 - accumulated)


def _parts(support: NDArray[np.intp], n: int) -> list[NDArray[np.intp]]:
    """The support in pieces whose rows fit the cache of a chunk."""
    count = max(1, -(-len(support) * n // _CHUNK))
    return np.array_split(support, count) if len(support) else []


def _times(K: Gram, c: Array) -> Array:
    """K c, reading only the rows of the support of c."""
    out = np.zeros(len(c))
    for part in _parts(np.flatnonzero(c), len(c)):
        out += c[part] @ K[part]
    return out
