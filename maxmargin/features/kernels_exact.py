"""Entries of a network kernel in fixed point, for margins so small that extended precision is too coarse.

A number x stands as an integer near ``x 2**bits``, up to the units that each function states.  The caller chooses
`bits`: a margin of 2**-k of the data's size needs entries to about 2k bits.  With
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
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..conventions import Array, Indices, kernel_factor
from ..rounding import Integers, integers
from .homogeneous import Feature
from .kernels import Activation, Kernel, derivative

BITS = 144  # bits of the first attempt: enough for margins above 1e-15 of the data's size
_GUARD = 32  # further bits inside `acute_angle`, where halvings and the series lose fewer than 2**25 units
_HALVINGS = 16  # theta <= pi/2 becomes less than 2**-15: each term of the series gains thirty bits
_RANGE = 2200  # bits between the largest and the smallest entry of Z that are carried exactly: any doubles
LARGEST = 600  # most points of an exact Gram matrix
_BLOCK = 20_000  # pairs computed at once, about a kilobyte each
_PAIR_SECONDS = 4e-5  # seconds per pair at `BITS`; the cost grows like bits^1.5
_isqrt = np.frompyfunc(math.isqrt, 1, 1)


def acute_angle(cos: Integers, sin: Integers, bits: int) -> Integers:
    """theta in [0, pi/2] of fixed-point cos, sin >= 0 with `bits` bits that err by a few units; theta by 2**25 units.

    cos(theta/2) = sqrt((1 + cos theta)/2) >= 1/sqrt 2 and sin(theta/2) = sin theta / (2 cos(theta/2)) lose two units
    per halving; the arctangent of their quotient loses one per term; doubling back multiplies by ``2**_HALVINGS``.
    """
    one = 1 << bits
    for _ in range(_HALVINGS):
        cos = np.asarray(_isqrt((one + cos) << (bits - 1)), dtype=object)
        sin = (sin << (bits - 1)) // cos
    t = (sin << bits) // cos
    square, power, theta = (t * t) >> bits, t, t
    for k in range(1, bits // (2 * _HALVINGS - 2) + 2):
        power = power * square >> bits
        theta = theta + (-1) ** k * (power // (2 * k + 1))
    return theta << _HALVINGS


@lru_cache
def pi_units(bits: int) -> int:
    """pi in units of ``2**-bits``, within one unit."""
    zero, one = np.array([0], object), np.array([1 << (bits + _GUARD)], object)
    return int(2 * acute_angle(zero, one, bits + _GUARD)[0]) >> _GUARD


class _Pairs(NamedTuple):
    """AB, h and G (in units of |z|^2, fixed point of that many bits) and psi of pairs of points."""

    bits: int
    AB: Integers
    h: Integers
    G: Integers
    psi: Integers

    def mirrored(self) -> _Pairs:
        """The same for (z, -z')."""
        return self._replace(G=-self.G, psi=pi_units(self.bits) - self.psi)

    def moment(self, degree: int) -> Integers:
        """2 pi D (D+2) ... E[(a.z)_+^k (a.z')_+^k]."""
        if degree == 0:
            return self.psi
        if degree == 1:
            return self.h + (self.psi * self.G >> self.bits)
        return (3 * self.h * self.G + self.psi * (self.AB + (2 * self.G * self.G >> self.bits))) >> self.bits


@dataclass(frozen=True)
class ExactGram:
    """The Gram matrix ``K 2**bits`` as integers, each entry within ``error`` units.

    Attributes
    ----------
    kernel : the kernel.
    Z : (n, D) what the activation sees, |entries| <= 1 (as in `NetworkGram`).
    bits : binary digits after the point.
    """

    kernel: Kernel
    Z: Array
    bits: int = BITS

    @property
    def affordable(self) -> bool:
        """Whether the matrix takes seconds at most, and Z spans few enough powers of two to be carried exactly."""
        return len(self.Z) <= LARGEST and -integers(self.Z)[1] <= _RANGE

    @property
    def seconds(self) -> float:
        """Expected seconds of `matrix`, roughly."""
        return seconds(len(self.Z) ** 2 / 2, self.bits)

    @property
    def error(self) -> int:
        """Units of ``2**-bits`` by which an entry may be off.

        psi errs by 2 units and is multiplied by at most 3 |z|^2 |z'|^2 <= 3 D^2 (degree 2), every other term and
        product loses less than 8 D^2 units; the coefficients of the activation and its derivative multiply by at most
        8 (right^2 + left^2) D.
        """
        size = 1 + math.ceil(self.kernel.activation.right**2 + self.kernel.activation.left**2)
        return size * self.Z.shape[1] ** 3 << 10

    def matrix(self) -> Integers:
        """(n, n) integers, symmetric; about 40 microseconds per pair at 144 bits."""
        n = len(self.Z)
        out = np.empty((n, n), dtype=object)
        first, second = np.triu_indices(n)
        for start in range(0, len(first), _BLOCK):
            i, j = first[start : start + _BLOCK], second[start : start + _BLOCK]
            out[i, j] = out[j, i] = self.entries(i, j)
        return out

    def entries(self, i: Indices, j: Indices) -> Integers:
        """The entries (i_k, j_k), shape (k,)."""
        pairs, kernel, output = self._pairs(i, j), self.kernel, self.kernel.activation
        if not kernel.tangent:
            return self._product(output, pairs)
        total = self._product(derivative(output), pairs) * pairs.G >> self.bits
        return total + self._product(output, pairs) if output.degree == 1 else total

    @cached_property
    def _points(self) -> tuple[Integers, int]:
        """The points as integers in units of ``2**-fine``, fine enough for lengths to `bits` significant digits."""
        guard = self.bits // 2 + _GUARD
        points, exponent = integers(self.Z)
        return points << guard, guard - exponent

    def _pairs(self, i: Indices, j: Indices) -> _Pairs:
        (points, fine), bits, inner = self._points, self.bits, self.bits + _GUARD
        squares = (points * points).sum(axis=1)
        AB = squares[i] * squares[j]
        G = (points[i] * points[j]).sum(axis=1)
        h, length = (np.asarray(_isqrt(value), dtype=object) for value in (AB - G * G, AB))
        safe = np.asarray(np.where(length == 0, 1, length), dtype=object)
        theta = acute_angle((np.abs(G) << inner) // safe, (h << inner) // safe, inner) >> _GUARD
        down = 2 * fine - bits  # from units of 2**(-2 fine) to fixed point
        psi = np.where(G < 0, theta, pi_units(bits) - theta)
        return _Pairs(bits, _shift(AB, 2 * fine + down), _shift(h, down), _shift(G, down), psi)

    def _product(self, activation: Feature | Activation, pairs: _Pairs) -> Integers:
        """E[sigma sigma'] = ((r^2 + l^2) J(psi) + 2 r l J(pi - psi)) / (2 pi D (D+2) ...)."""
        right, left, degree = Fraction(activation.right), Fraction(activation.left), activation.degree
        one = 1 << self.bits
        constant = Fraction(one, 2 * pi_units(self.bits)) * self._normaliser(degree)
        total: Any = math.floor((right**2 + left**2) * constant * one) * pairs.moment(degree) >> self.bits
        if left and right:
            coefficient = math.floor(2 * right * left * constant * one)
            total = total + (coefficient * pairs.mirrored().moment(degree) >> self.bits)
        return np.asarray(total, dtype=object)

    def _normaliser(self, degree: int) -> Fraction:
        D = self.Z.shape[1]
        gaussian = round(kernel_factor(degree, D, self.kernel.weights) ** 2)
        return Fraction(gaussian, math.prod(D + 2 * j for j in range(degree)))


def seconds(pairs: float, bits: int) -> float:
    """Expected seconds of that many entries, roughly."""
    return pairs * _PAIR_SECONDS * (bits / BITS) ** 1.5


def _shift(values: Integers, bits: int) -> Integers:
    """values 2**-bits, rounded down."""
    return values >> bits if bits >= 0 else values << -bits
