"""The kernel game (F2, tangent kernel): the learner picks f in the unit ball of an RKHS, the adversary weights p.

    gamma^2 = max_{|f| <= 1} (min_i y_i f(x_i))^2 = min_p p' Y K Y p,    best response to p: f ~ sum_i p_i y_i K(x_i, .)

(Eq. 5 of the paper).  There is no intercept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import rounding
from ..conventions import Array, Indices
from ..errors import InputError
from ..features.homogeneous import Feature, get_feature
from ..features.kernels import Kernel
from ..features.kernels_gram import FeatureGram, NetworkGram
from ..options import choice
from ..outcome import Scope
from .game import KERNEL_ZERO, Bracket, Game, Response
from .soft import beyond, mean_below

Gram = Array | NetworkGram | FeatureGram

KERNEL = Scope.KERNEL
_CHUNK = 1 << 21  # Gram entries per chunk of a sum over rows
LONG = np.longdouble
ULP = 4.0 * rounding.UNIT_ROUNDOFF  # covers a conversion to float64 and the operation after it
_MOSTLY = 1.5  # rounding dominates a gap that is more than this multiple of the gap without rounding
LONG_ROUNDOFF = float(np.finfo(LONG).eps) / 2.0  # 2^-64 on x86, 2^-53 where long double is double


@dataclass(frozen=True)
class KernelExpansion:
    """f(x) = sum_i c_i K(x_i, x) with |f|^2 = c'Kc.

    Attributes
    ----------
    coefficients : (n,) c, or its leading part.
    low : (k, n) further parts, for margins that the rounding of c would lose: c = coefficients + the sum of the rows.
    """

    coefficients: Array
    low: Array | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "coefficients", np.atleast_1d(np.ascontiguousarray(self.coefficients, dtype=float)))

    @property
    def parts(self) -> Array:
        """(1 + k, n): c is the sum of the rows."""
        first = self.coefficients[None, :]
        return first if self.low is None else np.concatenate([first, self.low])

    @classmethod
    def of(cls, parts: Array) -> KernelExpansion:
        """From (n,) coefficients, or their parts (1 + k, n)."""
        return cls(parts) if parts.ndim == 1 else cls(parts[0], parts[1:] if len(parts) > 1 else None)


class _Evaluation(NamedTuple):
    """Coefficients c (n,), outputs K c (n,) in extended precision, and a bound on the error of each output."""

    coefficients: Array
    outputs: NDArray[Any]
    errors: Array

    @property
    def square_above(self) -> float:
        """c'Kc, rounded up."""
        c = self.coefficients
        value = float(c.astype(LONG) @ self.outputs)
        error = float(np.abs(c) @ (self.errors + long_error(len(c)) * np.abs(self.outputs))) * (1.0 + ULP)
        return value + error + ULP * abs(value)


@dataclass(frozen=True)
class KernelGame(Game):
    """The max-margin game over the ball of an RKHS.

    Attributes
    ----------
    K : (n, n) Gram matrix of the training points, exactly symmetric, float64; or a `NetworkGram` (rows on demand).
    y : (n,) labels +-1.
    scale : the Gram matrix is scale^2 K, so that margins are scale times those of K (no overflow at 1e150).
    entry_error : bound on ``|K_ij - true| / sqrt(K_ii K_jj)`` of a stored K, 0 when K itself is the kernel.
    share : nu n of a soft margin, the mean of the nu n smallest margins, against weights of at most 1/(nu n); None for
        the least margin.

    Raises
    ------
    InputError : K is not square, or y has another length.
    """

    K: Gram
    y: Array
    scale: float = 1.0
    entry_error: float = 0.0
    share: Fraction | None = None

    def __post_init__(self) -> None:
        n = len(self.y)
        if self.K.shape != (n, n):
            raise InputError(f"Gram matrix: found shape {self.K.shape} with {n} labels, wanted ({n}, {n})")

    def margins(self, learner: KernelExpansion) -> Array:
        return self.scale * self.scale * self.y * _times(self.K, learner.coefficients)

    def norm(self, learner: KernelExpansion) -> float:
        """sqrt(c'Kc), from coefficients divided by a power of two, as their squares may leave the range of doubles."""
        exponent = math.frexp(float(np.abs(learner.coefficients).max(initial=0.0)))[1]
        c = np.ldexp(learner.coefficients, -exponent)
        with np.errstate(over="ignore"):
            return self.scale * float(np.ldexp(math.sqrt(max(float(c @ _times(self.K, c)), 0.0)), exponent))

    def margin_errors(self, learner: KernelExpansion) -> Array:
        """Bound on the rounding error of each of the `margins`: every entry |K_ij| <= r_i r_j carries its own."""
        return self._relative * float(np.abs(learner.coefficients) @ self.radii) * self.radii

    def norm_above(self, learner: KernelExpansion) -> float:
        """`norm`, rounded up."""
        size = float(np.abs(learner.coefficients) @ self.radii)
        return math.sqrt(self.norm(learner) ** 2 + self._relative * size * size) * (1.0 + ULP)

    @property
    def radii(self) -> Array:
        """r_i = sqrt(K(x_i, x_i)), shape (n,): no f of the unit ball exceeds r_i at x_i."""
        return self.scale * np.sqrt(np.maximum(self.K.diagonal(), 0.0))

    @property
    def radius(self) -> float:
        """The largest of the radii."""
        return float(self.radii.max())

    @property
    def entry_bound(self) -> float:
        """Bound on ``|K_ij - true| / sqrt(K_ii K_jj)`` of the double-precision entries."""
        return self._entry_error(extended=False)

    @property
    def _relative(self) -> float:
        """Error of an entry and of a sum of n terms, twice for a square, relative to r_i r_j."""
        return 1.01 * (self.entry_bound + rounding.relative_error(4 * len(self.y) + 32))

    def unit(self, learner: KernelExpansion) -> KernelExpansion:
        """The same direction with norm one; f = 0 stays."""
        norm = self.norm(learner)
        return KernelExpansion(learner.coefficients / norm) if norm > 0.0 else learner

    def lower(self, learner: KernelExpansion) -> float:
        """The least (or soft) margin over norm(f), rounded down."""
        (evaluation,) = self._evaluate(learner.coefficients[None, :], extended=False)
        return self._lower_end(evaluation)

    def best_response(self, p: Array) -> Response:
        """c = y p, with payoff sqrt(p' Y K Y p)."""
        (evaluation,) = self._evaluate((self.y * p)[None, :], extended=False)
        learner = KernelExpansion(self.y * p)
        value = self.scale * math.sqrt(max(float(evaluation.coefficients @ evaluation.outputs), 0.0))
        return Response(learner, value, self._upper_end(evaluation, p), KERNEL)

    def negligible(self, p: Array) -> float:
        """Payoffs that are zero up to rounding; the kernel alone cannot tell a small margin from zero."""
        return KERNEL_ZERO * self.size(p)

    def size(self, p: Array) -> float:
        """sum_i p_i |K(x_i, .)|: no f in the unit ball is paid more (the scale against which gamma = 0 is judged)."""
        return self.scale * float(p @ np.sqrt(np.maximum(self.K.diagonal(), 0.0)))

    def certify(self, learner: KernelExpansion, p: Array, tol: float = 1e-12) -> Bracket:
        """Bracket of gamma from any coefficients and any p >= 0, every rounding included.

        Parameters
        ----------
        tol : entries of a `NetworkGram` are computed again in extended precision when their rounding makes the
            relative gap wider than this (gamma^2 may be tiny beside K_ii).
        """
        ends = self._evaluate(np.stack([learner.coefficients, self.y * p]), extended=False)
        bracket = Bracket(self._lower_end(ends[0]), self._upper_end(ends[1], p), KERNEL)
        rounded = bracket.relative_gap > _MOSTLY * self._gap(*ends)  # else finer entries would change nothing
        if bracket.relative_gap > tol and rounded and isinstance(self.K, NetworkGram):
            finer = self._bracket(learner.coefficients, p, extended=True)
            bracket = Bracket(max(bracket.lower, finer.lower), min(bracket.upper, finer.upper), KERNEL)
        return bracket

    def _gap(self, learner: _Evaluation, adversary: _Evaluation) -> float:
        """The relative gap but for all rounding, an estimate."""
        least, total = self._least(self.y * learner.outputs), float(np.abs(adversary.coefficients).sum())
        squares = [float(end.coefficients @ end.outputs) for end in (learner, adversary)]
        if least <= 0.0 or min(squares) <= 0.0:
            return 1.0 if least < -2.0 * float(learner.errors.max()) else 0.0
        return max(0.0, 1.0 - least * total / math.sqrt(squares[0] * squares[1]))

    def _bracket(self, c: Array, p: Array, extended: bool) -> Bracket:
        learner, adversary = self._evaluate(np.stack([c, self.y * p]), extended)
        return Bracket(self._lower_end(learner), self._upper_end(adversary, p), KERNEL)

    def _lower_end(self, learner: _Evaluation) -> float:
        least = self._least(self.y * learner.outputs - learner.errors) * (1.0 - ULP)
        norm = learner.square_above
        lower = self.scale * least / math.sqrt(norm) if least > 0.0 and norm > 0.0 else 0.0
        return max(0.0, rounding.below(lower, rounding.dot_error(lower, 4)))

    def _upper_end(self, adversary: _Evaluation, p: Array) -> float:
        upper = self.scale * math.sqrt(max(adversary.square_above, 0.0)) / float(p.sum())
        if self.share is not None:
            upper += 2.0 * beyond(p, self.share) * self.radius
        return rounding.above(upper, rounding.dot_error(upper, len(p)))

    def _least(self, margins: NDArray[Any]) -> float:
        """The least of the margins (n,), or the mean of the `share` smallest, rounded down."""
        return float(margins.min()) if self.share is None else mean_below(margins, self.share)

    def _evaluate(self, C: Array, extended: bool) -> list[_Evaluation]:
        """K c for each row c of C (r, n), summed in extended precision, with a bound on the error of each entry."""
        support = np.flatnonzero(C.any(axis=0))
        outputs, magnitudes = np.zeros(C.shape, LONG), np.zeros(C.shape)
        for part in _parts(support, C.shape[1]):
            rows = self._rows(part, extended)
            outputs += C[:, part].astype(LONG) @ rows.astype(LONG, copy=False)
            magnitudes += np.abs(C[:, part]) @ np.abs(rows).astype(float, copy=False)
        errors = 1.01 * long_error(len(support)) * magnitudes
        entry_error = self._entry_error(extended)
        if entry_error:
            radii = np.sqrt(np.maximum(self.K.diagonal(), 0.0))
            errors += 1.01 * entry_error * np.outer(np.abs(C) @ radii, radii)
        return [_Evaluation(*row) for row in zip(C, outputs, errors, strict=True)]

    def _rows(self, part: Indices, extended: bool) -> NDArray[Any]:
        return self.K.extended(part) if extended and isinstance(self.K, NetworkGram) else self.K[part]

    def _entry_error(self, extended: bool) -> float:
        if isinstance(self.K, NetworkGram):
            return self.K.extended_error if extended else self.K.entry_error
        return self.entry_error


def network_game(norm: str, feature: str | Feature, Z: Array, y: Array, weights: str = "sphere") -> KernelGame:
    """The game of a network's kernel ball on the points Z, at any scale of Z.

    Parameters
    ----------
    norm : "f2" (output layer, Eq. 5) or "ntk" (tangent kernel).
    feature : activation.  Z : (n, D) what it sees.  y : (n,) labels +-1.
    weights : law of the directions, "sphere" or "gaussian".

    Raises
    ------
    InputError : another norm.
    """
    choice("norm", norm, ("f2", "ntk"))
    feature = get_feature(feature)
    exponent = int(np.frexp(np.abs(Z).max(initial=0.0))[1])
    gram = NetworkGram(Kernel(feature, weights, tangent=norm == "ntk"), np.ldexp(Z, -exponent))
    return KernelGame(gram, y, scale=math.ldexp(1.0, exponent * feature.degree))


def long_error(terms: int) -> float:
    """Relative error of an extended-precision sum of that many products (a few operations to spare)."""
    accumulated = (2 * terms + 16) * LONG_ROUNDOFF
    return accumulated / (1.0 - accumulated)


def _parts(support: Indices, n: int) -> list[Indices]:
    """The support in pieces whose rows fit the cache of a chunk."""
    count = max(1, -(-len(support) * n // _CHUNK))
    return np.array_split(support, count) if len(support) else []


def _times(K: Gram, c: Array) -> Array:
    """K c, reading only the rows of the support of c."""
    out = np.zeros(len(c))
    for part in _parts(np.flatnonzero(c), len(c)):
        out += c[part] @ K[part]
    return out
