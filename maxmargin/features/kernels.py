"""Kernels of infinitely wide two-layer networks, in closed form.

With ``theta`` the angle of z and z', ``a`` uniform on the sphere S^{D-1} and k the degree of the activation,

    E[(a.z)_+^k (a.z')_+^k] = (|z| |z'|)^k J_k / (2 pi D (D+2) ... (D+2k-2)),        psi = pi - theta,
    J_0 = psi,    J_1 = sin theta + psi cos theta,    J_2 = 3 sin theta cos theta + psi (1 + 2 cos^2 theta)

(arc-cosine kernels of Cho and Saul, NeurIPS 2009; docs/theory.rst, A1).  A Gaussian ``a`` multiplies by
``conventions.kernel_factor(k, D, "gaussian")**2``.  Everything is a function of the *supplement* psi, because the
kernels vanish like psi^(2k+1) at antipodes, where relative accuracy needs care.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import memory
from ..conventions import Array, kernel_factor
from ..errors import InputError
from .homogeneous import Feature
from .kernels_angles import Angles, UnitRows, angles, pi

Floats = NDArray[np.floating[Any]]  # float64, or extended precision for certificates

_BLOCK = 1 << 16  # entries computed at once: the few temporaries then stay in the cache


class Activation(NamedTuple):
    """right (u)_+^degree + left (-u)_+^degree: a `Feature`, or its derivative (degree 0 is the step)."""

    degree: int
    right: float = 1.0
    left: float = 0.0


def derivative(activation: Feature | Activation) -> Activation:
    """sigma'(u) = k right (u)_+^(k-1) - k left (-u)_+^(k-1)."""
    k = activation.degree
    return Activation(k - 1, k * activation.right, -k * activation.left)


@dataclass(frozen=True)
class _Series:
    """psi^power sum_j (-1)^j c_j psi^(2j): the same J_k where its closed form cancels.

    sin x - x cos x          = sum_{k >= 1} (-1)^(k+1)  2k      x^(2k+1) / (2k+1)!,   x = psi
    x (2 + cos x) - 3 sin x  = sum_{k >= 2} (-1)^k     (2k - 2) x^(2k+1) / (2k+1)!,   x = 2 psi, twice J_2
    """

    power: int
    limit: float
    coefficients: tuple[float, ...]

    def overwrite(self, closed: Floats, psi: Floats) -> Floats:
        """Put the series where psi < limit; in float64 only, since extended precision is for absolute accuracy."""
        if psi.dtype == np.float64 and psi.size and psi.min() < self.limit:
            small = psi < self.limit
            t = psi[small]
            closed[small] = t**self.power * np.polynomial.polynomial.polyval(t * t, self.coefficients)
        return closed


def _signs(start: int, terms: int = 12) -> list[tuple[int, float]]:
    return [(k, (-1.0) ** (k - start) / math.factorial(2 * k + 1)) for k in range(start, start + terms)]


_J1 = _Series(3, 0.7, tuple(c * 2 * k for k, c in _signs(1)))
_J2 = _Series(5, 1.0, tuple(c * (2 * k - 2) * 4.0**k for k, c in _signs(2)))


def angular(angle: Angles, degree: int) -> Floats:
    """J_k of the module's formula, to a few units of roundoff (relative, in float64); a new array.

    Parameters
    ----------
    angle : cos, sin and supplement of the angles, any shape.
    degree : k = 0 (step), 1 (ReLU) or 2 (squared ReLU).

    Raises
    ------
    InputError : the degree is not 0, 1 or 2.
    """
    cos, sin, psi = angle
    if degree == 0:
        return psi.copy()
    if degree == 1:
        return _J1.overwrite(sin + psi * cos, psi)
    if degree == 2:
        return _J2.overwrite(3.0 * sin * cos + psi * (1.0 + 2.0 * cos * cos), psi)
    raise InputError(f"kernel degree: found {degree!r}, wanted 0 (step), 1 (ReLU) or 2 (squared ReLU)")


@dataclass(frozen=True)
class Kernel:
    """K(z, z') = E[sigma(a.z) sigma(a.z')], or the tangent kernel, of random directions a.

    The tangent kernel of ``f = (1/m) sum_j b_j sigma(a_j.z)`` at |b| = 1 (``sphere``; the balanced start of
    Theorem 5) or b ~ N(0, 1) (``gaussian``; the authors' code), both layers trained, is

        E[sigma(a.z) sigma(a.z') + b^2 sigma'(a.z) sigma'(a.z') z.z'].

    For degree 2 the output weight is a fixed sign (S-ReLU in the paper), so that only the second term remains.

    For ReLU, K = |z| |z'| kappa(cos theta) / (2 D) with ``kappa(c) = (sqrt(1 - c^2) + (pi - arccos c) c) / pi``.

    Attributes
    ----------
    activation : the scalar activation; any `Feature`, or `Activation` (degree 0 is the step).
    weights : "sphere" (uniform directions, Eq. 5 of the paper) or "gaussian" (standard normal a).
    tangent : False for F2 (output layer), True for the tangent kernel.
    """

    activation: Feature | Activation
    weights: str = "sphere"
    tangent: bool = False

    @property
    def degree(self) -> int:
        """K(c z, c z') = c^(2 degree) K(z, z')."""
        return self.activation.degree

    def __call__(self, Z1: Array, Z2: Array | None = None) -> Array:
        """Gram matrix (n1, n2); with Z2 omitted, (n1, n1) and exactly symmetric.

        Raises
        ------
        InputError : Z1 and Z2 have different numbers of coordinates, or the matrix does not fit the memory.
        """
        rows = UnitRows(Z1)
        others = rows if Z2 is None else UnitRows(Z2)
        if rows.D != others.D:
            raise InputError(f"kernel inputs: found vectors of {rows.D} and {others.D} coordinates, wanted the same D")
        size = f"a Gram matrix of shape ({len(rows)}, {len(others)})"
        memory.require(8.0 * len(rows) * len(others), size, "use fewer points")
        return self.gram(rows) if Z2 is None else self.rectangle(rows, others)

    def gram(self, rows: UnitRows) -> Array:
        """All pairs of the rows, exactly symmetric, in one array and a few cache-sized blocks."""
        n = len(rows)
        out = np.empty((n, n))
        for part in _blocks(n, n):
            block = self.entries(rows[part], rows[part.start :])
            square = block[:, : len(block)]
            square[:] = np.maximum(square, square.T)  # BLAS rounds (i, j) and (j, i) differently
            out[part, part.start :] = block
            out[part.start :, part] = block.T
        np.fill_diagonal(out, self.diagonal(rows))
        return out

    def rectangle(self, rows: UnitRows, others: UnitRows) -> Any:
        """All pairs of the rows and the others, in the precision of the rows."""
        out = np.empty((len(rows), len(others)), dtype=rows.units.dtype)
        for part in _blocks(len(rows), len(others)):
            out[part] = self.entries(rows[part], others)
        return out

    def entries(self, rows: UnitRows, others: UnitRows) -> Any:
        """(|z| |z'|)^degree times the profile, for one block of pairs; shape (r, o), in the precision of the rows."""
        out = self._profile(angles(rows, others, first_order=self.tangent or self.degree == 0), rows.D)
        out *= _lengths(rows, self.degree)[:, None]
        out *= _lengths(others, self.degree)
        return out

    def diagonal(self, rows: UnitRows) -> Array:
        """K(z_i, z_i), shape (n,): there the angle is exactly 0."""
        copy = Angles(np.ones(1), np.zeros(1), np.full(1, np.pi))
        return np.asarray(self._profile(copy, rows.D)[0] * _lengths(rows, 2 * self.degree), dtype=float)

    def _profile(self, angle: Angles, D: int) -> Floats:
        """K(z, z') of unit vectors."""
        output = self.activation
        if not self.tangent:
            return _moment(output, angle) * self._constant(output.degree, D, angle)
        hidden = derivative(output)
        total = _moment(hidden, angle) * angle.cos
        total *= self._constant(hidden.degree, D, angle)
        if output.degree == 1:
            total += _moment(output, angle) * self._constant(1, D, angle)
        return total

    def _constant(self, degree: int, D: int, angle: Angles) -> Any:
        """1 / (2 pi D (D+2) ...), times E|a|^(2 degree) for Gaussian directions, in the angles' precision."""
        gaussian = round(kernel_factor(degree, D, self.weights) ** 2)  # 1, D or D (D+2)
        return gaussian / (2 * pi(angle.psi.dtype) * math.prod(D + 2 * j for j in range(degree)))


def _moment(activation: Feature | Activation, angle: Angles) -> Floats:
    """2 pi D (D+2) ... E[sigma sigma'] of unit vectors: (r^2 + l^2) J(psi) + 2 r l J(pi - psi)."""
    degree = activation.degree
    right, left = angle.psi.dtype.type(activation.right), angle.psi.dtype.type(activation.left)
    out = angular(angle, degree)
    if left or right != 1.0:
        out *= right * right + left * left
    if left and right:
        mirrored = Angles(-angle.cos, angle.sin, pi(angle.psi.dtype) - angle.psi)
        out += 2.0 * right * left * angular(mirrored, degree)
    return out


def _lengths(rows: UnitRows, power: int) -> Floats:
    """|z|^power, and 0 for z = 0 whatever the power."""
    return rows.norms**power * (rows.norms > 0.0)


def _blocks(rows: int, columns: int) -> list[slice]:
    """Row blocks of about `_BLOCK` entries."""
    step = max(1, _BLOCK // max(columns, 1))
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]


def arc_cosine(Z1: Array, Z2: Array | None = None, degree: int = 1, weights: str = "sphere") -> Array:
    """Arc-cosine Gram matrix E[(a.z)_+^k (a.z')_+^k] of degree k = 0, 1, 2.

    Parameters
    ----------
    Z1, Z2 : (n1, D) and (n2, D), what the activation sees (with the bias coordinate, if any); Z2 defaults to Z1.
    weights : "sphere" (a uniform on S^{D-1}; Eq. 5) or "gaussian" (a ~ N(0, I)).

    Returns
    -------
    (n1, n2) float64.
    """
    return Kernel(Activation(degree), weights)(Z1, Z2)
