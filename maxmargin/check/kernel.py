"""The kernel ball (F2 and the tangent kernel) in fixed-point integers: both ends of the bracket.

    lower:  min_i y_i (K c)_i >= lower sqrt(c' K c)          upper:  sqrt(p' Y K Y p) <= upper sum_i p_i

With A = |z|^2, B = |z'|^2, G = z.z', h = sqrt(A B - G^2) = |z||z'| sin theta and psi = pi - theta, directions uniform
on the sphere S^{D-1} give (theory.md A1; Cho and Saul 2009)

    2 pi E[1 1]                     = psi
    2 pi D E[(a.z)_+ (a.z')_+]      = h + psi G
    2 pi D (D+2) E[(.)_+^2 (.)_+^2] = 3 h G + psi (A B + 2 G^2)

and a two-sided activation adds the same terms at -z' (G -> -G, psi -> theta).  Gaussian directions drop the factors
D and D(D+2).  A, B, G are exact integers, so nothing cancels before the root and the angle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from . import angles
from .angles import BITS
from .claim import Activation, Claim
from .exact import Integers, integers, power_of_two, sqrt_above
from .verdict import Refusal

Index = NDArray[np.intp]

# An entry of 2 pi K is off by at most 2**-GOOD_BITS (|z||z'|)^degree times the coefficients' size: not at all at z = 0.
GOOD_BITS = BITS - 40


# Pairs of points in flight: each costs about 2 kB of integers.
BLOCK = 50_000


@dataclass(frozen=True)
class Image:
    """What a kernel does to integer coefficients c: ``2 pi (K c)_i = values_i unit`` up to ``errors_i unit``.

    Attributes
    ----------
    c, values, errors : (n,) integers.  unit : a positive fraction.
    """

    c: Integers
    values: Integers
    errors: Integers
    unit: Fraction

    @property
    def square(self) -> Fraction:
        """An upper bound on ``2 pi c'Kc``."""
        return max(int(self.c @ self.values + np.abs(self.c) @ self.errors), 0) * self.unit


def check_lower(claim: Claim, image: Image) -> str:
    """min_i y_i (K c)_i >= lower sqrt(c'Kc), for the image of the classifier; both sides are homogeneous in c."""
    if claim.lower == 0.0:
        return "lower = 0 holds for every data set (f = 0)"
    margins = claim.y.astype(int).astype(object) * image.values - image.errors
    worst = int(np.argmin(margins))
    least, square = int(margins[worst]) * image.unit, image.square * _two_pi(above=True)
    if least <= 0 or Fraction(claim.lower) ** 2 * square > least**2:
        found = math.copysign(float(sqrt_above(least**2 / square)), least) if square else 0.0
        raise Refusal(
            f"lower: the classifier reaches {found:.17g} (at point {worst}), below the claimed {claim.lower!r}"
        )
    return f"the classifier's margin is at least {claim.lower!r} (smallest at point {worst})"


def check_upper(claim: Claim, image: Image) -> str:
    """sqrt(q'Kq) <= upper sum p for q = p y, for the image of q up to a power of two."""
    total = int(np.abs(image.c).sum())
    if image.square > (Fraction(claim.upper) * total) ** 2 * _two_pi(above=False):
        found = float(sqrt_above(image.square / _two_pi(above=False) / total**2))
        raise Refusal(
            f"upper: the unit ball can earn {found:.17g} from the adversary, above the claimed {claim.upper!r}"
        )
    return f"no function of the unit ball earns more than {claim.upper!r} from the adversary"


def images(claim: Claim) -> tuple[Image, Image]:
    """The images of the classifier's coefficients and of q = p y, one pass over the rows of the Gram matrix."""
    if claim.coefficients is None:
        raise Refusal("classifier: coefficients on the training points were expected")
    pair = np.stack([integers(claim.coefficients)[0], integers(claim.p * claim.y)[0]], axis=1)
    support = np.flatnonzero((pair != 0).any(axis=1))
    values, errors, unit = [], [], Fraction(1)
    for rows in np.array_split(np.arange(len(pair)), 1 + len(pair) * len(support) // BLOCK):
        N, error, unit = gram(claim, rows, support)
        values.append(N @ pair[support])
        errors.append(error @ np.abs(pair[support]))
    outputs, bounds = np.concatenate(values), np.concatenate(errors)
    first, second = (Image(pair[:, k], outputs[:, k], bounds[:, k], unit) for k in (0, 1))
    return first, second


def gram(claim: Claim, rows: Index, columns: Index) -> tuple[Integers, Integers, Fraction]:
    """``2 pi K[rows, columns] = N * unit`` up to ``error * unit``, entry by entry: (N, error, unit)."""
    points, exponent = integers(claim.Z)
    guard = 90  # h and |z||z'| then have at least 180 bits
    points, exponent = points << guard, exponent - guard
    squares = (points * points).sum(axis=1)
    AB = squares[rows, None] * squares[columns]
    G = points[rows] @ points[columns].T
    h, length = angles.floor_sqrt(AB - G * G), angles.floor_sqrt(AB)
    empty = length == 0
    theta = angles.angle(np.where(empty, 1, G), h, np.where(empty, 1, length))
    return _assemble(claim, _Angles(AB, G, h, length, theta, 2 * exponent))


@dataclass(frozen=True)
class _Angles:
    """Integers per pair of points; G, h, length in units 2**exponent, AB in its square, theta in 2**-BITS."""

    AB: Integers
    G: Integers
    h: Integers
    length: Integers
    theta: Integers
    exponent: int

    def expectation(self, degree: int, D: int, gaussian: bool, opposite: bool) -> tuple[Integers, Fraction]:
        """2 pi E[(a.z)_+^k (+-a.z')_+^k] as integers times a fraction (without ``2**(k exponent - BITS)``)."""
        psi = self.theta if opposite else angles.pi_units() - self.theta
        G = -self.G if opposite else self.G
        if degree == 0:
            return psi, Fraction(1)
        if degree == 1:
            return (self.h << BITS) + psi * G, Fraction(1, 1 if gaussian else D)
        return 3 * (self.h << BITS) * G + psi * (self.AB + 2 * G * G), Fraction(1, 1 if gaussian else D * (D + 2))


def _assemble(claim: Claim, pairs: _Angles) -> tuple[Integers, Integers, Fraction]:
    """Sum of the kernel's terms with their rational coefficients, over one common denominator."""
    D, activation = claim.Z.shape[1], claim.activation
    terms: list[tuple[Fraction, Integers]] = []
    if claim.norm == "f2" or activation.degree == 1:
        terms += [(c, values) for c, values in _product(activation, pairs, D, claim.law == "gaussian")]
    if claim.norm == "ntk":
        degree = activation.degree
        slope = Activation(degree - 1, degree * activation.right, -degree * activation.left)
        terms += [(c, values * pairs.G) for c, values in _product(slope, pairs, D, claim.law == "gaussian")]
    denominator = math.lcm(*(c.denominator for c, _ in terms))
    N = sum(int(c * denominator) * values for c, values in terms)
    size = sum(abs(int(c * denominator)) for c, _ in terms)
    error = size * (pairs.length + 1) ** activation.degree << (BITS - GOOD_BITS)
    error[pairs.length == 0] = 0  # the kernel is exactly 0 there, and so is every term above
    return np.asarray(N), error, power_of_two(activation.degree * pairs.exponent - BITS) / denominator


def _product(activation: Activation, pairs: _Angles, D: int, gaussian: bool) -> list[tuple[Fraction, Integers]]:
    """2 pi E[sigma sigma'] = (r^2 + l^2) E[+ +] + 2 r l E[+ -] as (coefficient, integers)."""
    right, left = Fraction(activation.right), Fraction(activation.left)
    terms = []
    for coefficient, opposite in ((right**2 + left**2, False), (2 * right * left, True)):
        if coefficient:
            values, constant = pairs.expectation(activation.degree, D, gaussian, opposite)
            terms.append((coefficient * constant, values))
    return terms


def _two_pi(above: bool) -> Fraction:
    return Fraction(2 * (angles.pi_units() + (64 if above else -64)), angles.ONE)
