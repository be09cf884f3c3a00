"""Entries of a network kernel in fixed point, for margins so small that extended precision is too coarse.

A number x stands as the integer nearest to ``x 2**BITS`` up to the units that each function states.  With
A = |z|^2, B = |z'|^2, G = z.z' (exact integers), h = sqrt(A B - G^2) = |z||z'| sin theta and psi = pi - theta, the
kernels of `kernels` are, up to their constants,

    psi  (step),        h + psi G  (ReLU),        3 h G + psi (A B + 2 G^2)  (squared ReLU),

so that nothing cancels before the root and the angle.  The angle comes from repeated halving and the series of the
arctangent (the referee, `check.angles`, takes Newton's method: two implementations of one number).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..conventions import kernel_factor
from .homogeneous import Feature
from .kernels import Activation, Kernel, derivative

Integers = NDArray[np.object_]
Indices = NDArray[np.intp]

BITS = 144
ONE = 1 << BITS
_HALVINGS = 8  # theta <= pi/2 becomes less than 2**-7: fourteen bits a term of the series
_TERMS = 12  # (pi/2 / 2**_HALVINGS)^25 < 2**-183
_GUARD = 64
_RANGE = 500  # bits between the largest and the smallest entry of Z that are carried exactly
LARGEST = 600  # points
_BLOCK = 20_000  # pairs in flight, about a kilobyte each
_isqrt = np.frompyfunc(math.isqrt, 1, 1)


def integers(values: NDArray[np.float64]) -> tuple[Integers, int]:
    """Integers N and an exponent e with ``values = N 2**e`` exactly."""
    mantissa, exponent = np.frexp(np.asarray(values, dtype=float))
    lowest = int(exponent[mantissa != 0].min(initial=0)) - 53
    shift = np.where(mantissa != 0, exponent - 53 - lowest, 0).astype(object)
    return np.asarray(np.ldexp(mantissa, 53).astype(np.int64).astype(object) << shift), lowest


def acute_angle(cos: Integers, sin: Integers) -> Integers:
    """theta in [0, pi/2] of fixed-point cos, sin >= 0 that err by a few units; theta errs by less than 2**16 units.

    cos(theta/2) = sqrt((1 + cos theta)/2) >= 1/sqrt 2 and sin(theta/2) = sin theta / (2 cos(theta/2)) lose two units
    a halving; the arctangent of their quotient loses one a term; doubling back multiplies by ``2**_HALVINGS``.
    """
    for _ in range(_HALVINGS):
        cos = np.asarray(_isqrt((ONE + cos) << (BITS - 1)), dtype=object)
        sin = (sin << (BITS - 1)) // cos
    t = (sin << BITS) // cos
    square, power, theta = (t * t) >> BITS, t, t
    for k in range(1, _TERMS):
        power = power * square >> BITS
        theta = theta + (-1) ** k * (power // (2 * k + 1))
    return theta << _HALVINGS


PI = 2 * int(acute_angle(np.array([0], object), np.array([ONE], object))[0])  # within 2**17 units


class _Pairs(NamedTuple):
    """AB, h and G (in units of |z|^2, fixed point) and psi of pairs of points."""

    AB: Integers
    h: Integers
    G: Integers
    psi: Integers

    def mirrored(self) -> _Pairs:
        """The same for (z, -z')."""
        return _Pairs(self.AB, self.h, -self.G, PI - self.psi)

    def moment(self, degree: int) -> Integers:
        """2 pi D (D+2) ... E[(a.z)_+^k (a.z')_+^k]."""
        if degree == 0:
            return self.psi
        if degree == 1:
            return self.h + (self.psi * self.G >> BITS)
        return (3 * self.h * self.G + self.psi * (self.AB + (2 * self.G * self.G >> BITS))) >> BITS


@dataclass(frozen=True)
class ExactGram:
    """The Gram matrix ``K 2**BITS`` as integers, each entry within ``error`` units.

    Attributes
    ----------
    kernel : which kernel.
    Z : (n, D) what the activation sees, |entries| <= 1 (`NetworkGram` holds it so).
    """

    kernel: Kernel
    Z: NDArray[np.float64]

    @property
    def affordable(self) -> bool:
        """Whether the matrix takes seconds at most, and Z spans few enough powers of two to be carried exactly."""
        return len(self.Z) <= LARGEST and -integers(self.Z)[1] <= _RANGE

    @property
    def error(self) -> int:
        """Units of ``2**-BITS`` by which an entry may be off.

        psi errs by 2**17 units and is multiplied by at most 3 |z|^2 |z'|^2 <= 3 D^2 (degree 2), the other terms by
        less; the coefficients of the activation and its derivative multiply by at most 8 (right^2 + left^2) D.
        """
        size = 1 + math.ceil(self.kernel.activation.right**2 + self.kernel.activation.left**2)
        return size * self.Z.shape[1] ** 3 << 24

    def matrix(self) -> Integers:
        """(n, n) integers, symmetric; about 30 microseconds a pair."""
        n = len(self.Z)
        out = np.empty((n, n), dtype=object)
        first, second = np.triu_indices(n)
        for start in range(0, len(first), _BLOCK):
            i, j = first[start : start + _BLOCK], second[start : start + _BLOCK]
            out[i, j] = out[j, i] = self._entries(self._pairs(i, j))
        return out

    def _pairs(self, i: Indices, j: Indices) -> _Pairs:
        points, exponent = integers(self.Z)
        points, exponent = points << _GUARD, exponent - _GUARD
        squares = (points * points).sum(axis=1)
        AB = squares[i] * squares[j]
        G = (points[i] * points[j]).sum(axis=1)
        h, length = (np.asarray(_isqrt(value), dtype=object) for value in (AB - G * G, AB))
        safe = np.asarray(np.where(length == 0, 1, length), dtype=object)
        theta = acute_angle((np.abs(G) << BITS) // safe, (h << BITS) // safe)
        down = -2 * exponent - BITS  # from units of 2**(2 exponent) to fixed point
        return _Pairs(_shift(AB, 2 * down + BITS), _shift(h, down), _shift(G, down), np.where(G < 0, theta, PI - theta))

    def _entries(self, pairs: _Pairs) -> Integers:
        kernel, output = self.kernel, self.kernel.activation
        if not kernel.tangent:
            return self._product(output, pairs)
        total = self._product(derivative(output), pairs) * pairs.G >> BITS
        return total + self._product(output, pairs) if output.degree == 1 else total

    def _product(self, activation: Feature | Activation, pairs: _Pairs) -> Integers:
        """E[sigma sigma'] = ((r^2 + l^2) J(psi) + 2 r l J(pi - psi)) / (2 pi D (D+2) ...)."""
        right, left, degree = Fraction(activation.right), Fraction(activation.left), activation.degree
        constant = Fraction(ONE, 2 * PI) * self._normaliser(degree)
        total: Any = math.floor((right**2 + left**2) * constant * ONE) * pairs.moment(degree) >> BITS
        if left and right:
            total = total + (math.floor(2 * right * left * constant * ONE) * pairs.mirrored().moment(degree) >> BITS)
        return np.asarray(total, dtype=object)

    def _normaliser(self, degree: int) -> Fraction:
        D = self.Z.shape[1]
        gaussian = round(kernel_factor(degree, D, self.kernel.weights) ** 2)
        return Fraction(gaussian, math.prod(D + 2 * j for j in range(degree)))


def _shift(values: Integers, bits: int) -> Integers:
    """values 2**-bits, rounded down."""
    return values >> bits if bits >= 0 else values << -bits
