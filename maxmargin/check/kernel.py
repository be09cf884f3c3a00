"""The kernel ball (F2 and the tangent kernel) in fixed-point integers: both ends of the bracket.

    lower:  min_i y_i (K c)_i >= lower sqrt(c' K c)          upper:  sqrt(p' Y K Y p) <= upper sum_i p_i

With A = |z|^2, B = |z'|^2, G = z.z', h = sqrt(A B - G^2) = |z||z'| sin theta and psi = pi - theta, directions uniform
on the sphere S^{D-1} give (docs/theory.rst, A1; Cho and Saul 2009)

    2 pi E[1 1]                     = psi
    2 pi D E[(a.z)_+ (a.z')_+]      = h + psi G
    2 pi D (D+2) E[(.)_+^2 (.)_+^2] = 3 h G + psi (A B + 2 G^2)

and a two-sided activation adds the same terms at -z' (G -> -G, psi -> theta).  Gaussian directions drop the factors
D and D(D+2).  A, B, G are exact integers, so nothing cancels before the root and the angle.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from . import angles, soft
from .angles import FixedPoint
from .claim import Activation, Claim
from .exact import Integers, integers, power_of_two, sqrt_above
from .verdict import UNLIMITED, Limits, Refusal

Index = NDArray[np.intp]

FIRST_BITS, MOST_BITS = 160, 2560
# An entry of 2 pi K is off by at most 2**LOST_BITS units times (|z||z'|)^degree and the size of the coefficients.
# The error is 0 at z = 0.
LOST_BITS = 40
# Pairs of points in flight: each costs about 2 kB of integers.
BLOCK = 50_000
WORK = 4e8  # pairs times bits that more than `FIRST_BITS` may cost: about a minute


@dataclass(frozen=True)
class Image:
    """The image of integer coefficients c under a kernel: ``2 pi (K c)_i = values_i unit`` up to ``errors_i unit``.

    Attributes
    ----------
    c, values, errors : (n,) integers.  unit : a positive fraction.
    fixed : the arithmetic of the entries.
    """

    c: Integers
    values: Integers
    errors: Integers
    unit: Fraction

    fixed: FixedPoint

    def square(self, above: bool) -> Fraction:
        """A bound on ``2 pi c'Kc`` on that side."""
        error = int(np.abs(self.c) @ self.errors)
        return max(int(self.c @ self.values) + (error if above else -error), 0) * self.unit

    def two_pi(self, above: bool) -> Fraction:
        """A bound on 2 pi on that side."""
        return Fraction(2 * (self.fixed.pi + (angles.PI_ERROR if above else -angles.PI_ERROR)), self.fixed.one)


class Images:
    """The images of the classifier's coefficients and of q = p y, with as many digits as the claim needs."""

    def __init__(self, claim: Claim, limits: Limits = UNLIMITED) -> None:
        self.claim, self.limits = claim, limits
        self.vectors = _vectors(claim)
        self._known: dict[int, tuple[Image, Image]] = {}

    def settled(self, which: int, argument: Callable[[Claim, Image], bool | None]) -> Image:
        """The first image with enough digits for a decision, or the last one that can be computed."""
        bits = FIRST_BITS
        while argument(self.claim, self._at(bits)[which]) is None and self._affordable(2 * bits):
            bits *= 2
        return self._at(bits)[which]

    def _at(self, bits: int) -> tuple[Image, Image]:
        if bits not in self._known:
            self._known[bits] = images(self.claim, self.vectors, FixedPoint(bits), self.limits)
        return self._known[bits]

    def _affordable(self, bits: int) -> bool:
        support = int((self.vectors != 0).any(axis=1).sum())
        return bits <= MOST_BITS and float(len(self.vectors)) * support * bits <= WORK


def check_lower(images: Images) -> str:
    """min_i y_i (K c)_i >= lower sqrt(c'Kc), for the image of the classifier; both sides are homogeneous in c."""
    claim = images.claim
    if claim.lower == 0.0:
        return "lower = 0 holds for every data set (f = 0)"
    image = images.settled(0, _reaches)
    margins = _margins(claim, image) - image.errors
    worst = int(np.argmin(margins))
    if not _reaches(claim, image):
        least, square = soft.worst(margins, claim.nu) * image.unit, image.square(above=True) * image.two_pi(above=True)
        found = math.copysign(float(sqrt_above(least**2 / square)), least) if square else 0.0
        raise Refusal(
            f"lower: the classifier reaches {found:.17g} (at point {worst}), below the claimed {claim.lower!r}"
        )
    return f"the classifier's margin is at least {claim.lower!r} (smallest at point {worst})"


def _reaches(claim: Claim, image: Image) -> bool | None:
    """Whether the margin is at least `claim.lower`; None when the digits do not tell."""
    margins = _margins(claim, image)
    for above, answer in ((False, True), (True, False)):
        least = soft.worst(margins + (image.errors if above else -image.errors), claim.nu) * image.unit
        square = image.square(not above) * image.two_pi(not above)
        if (least > 0 and Fraction(claim.lower) ** 2 * square <= least**2) == answer:
            return answer
    return None


def _margins(claim: Claim, image: Image) -> Integers:
    return np.asarray(claim.y.astype(int).astype(object) * image.values, dtype=object)


def check_upper(images: Images) -> str:
    """sqrt(q'Kq) <= upper sum p for q = p y, for the image of q up to a power of two."""
    claim = images.claim
    image = images.settled(1, _bounded)
    if not _bounded(claim, image):
        total = int(np.abs(image.c).sum())
        found = float(sqrt_above(image.square(above=True) / image.two_pi(above=False) / total**2))
        raise Refusal(
            f"upper: the adversary pays some function of the unit ball {found:.17g}, above the claimed {claim.upper!r}"
        )
    return f"the adversary pays no function of the unit ball more than {claim.upper!r}"


def _bounded(claim: Claim, image: Image) -> bool | None:
    """Whether the payoff is at most `claim.upper`; None when the digits do not tell."""
    allowed = (Fraction(claim.upper) * int(np.abs(image.c).sum())) ** 2
    for above in (True, False):
        if (image.square(above) <= allowed * image.two_pi(not above)) == above:
            return above
    return None


def _vectors(claim: Claim) -> Integers:
    """The classifier's coefficients and q = p y as integers (n, 2), each column up to a power of two."""
    if claim.coefficients is None:
        raise Refusal("classifier: coefficients on the training points were expected")
    c, p = (integers(rows)[0].sum(axis=0) for rows in (claim.coefficients, claim.p_parts))
    if (p < 0).any():
        raise Refusal(f"adversary: entry {int(np.argmax(p < 0))} is negative with its further parts")
    return np.stack([c, p * claim.y.astype(int).astype(object)], axis=1)


def images(claim: Claim, vectors: Integers, fixed: FixedPoint, limits: Limits = UNLIMITED) -> tuple[Image, Image]:
    """The images of both vectors (n, 2), one pass over the rows of the Gram matrix."""
    support = np.flatnonzero((vectors != 0).any(axis=1))
    values, errors, unit = [], [], Fraction(1)
    for rows in np.array_split(np.arange(len(vectors)), 1 + len(vectors) * len(support) // BLOCK):
        limits.demand()
        N, error, unit = gram(claim, rows, support, fixed)
        values.append(N @ vectors[support])
        errors.append(error @ np.abs(vectors[support]))
    outputs, bounds = np.concatenate(values), np.concatenate(errors)
    first, second = (Image(vectors[:, k], outputs[:, k], bounds[:, k], unit, fixed) for k in (0, 1))
    return first, second


def gram(claim: Claim, rows: Index, columns: Index, fixed: FixedPoint) -> tuple[Integers, Integers, Fraction]:
    """``2 pi K[rows, columns] = N * unit`` up to ``error * unit``, entry by entry: (N, error, unit)."""
    points, exponent = integers(claim.Z)
    guard = fixed.bits // 2 + 10  # h and |z||z'| then have at least bits + 20 bits
    points, exponent = points << guard, exponent - guard
    squares = (points * points).sum(axis=1)
    AB = squares[rows, None] * squares[columns]
    G = points[rows] @ points[columns].T
    h, length = angles.floor_sqrt(AB - G * G), angles.floor_sqrt(AB)
    empty = length == 0
    theta = fixed.angle(np.where(empty, 1, G), h, np.where(empty, 1, length))
    return _assemble(claim, _Angles(fixed, AB, G, h, length, theta, 2 * exponent))


@dataclass(frozen=True)
class _Angles:
    """Integers per pair of points; G, h, length in units 2**exponent, AB in its square, theta in 2**-bits."""

    fixed: FixedPoint
    AB: Integers
    G: Integers
    h: Integers
    length: Integers
    theta: Integers
    exponent: int

    def expectation(self, degree: int, D: int, gaussian: bool, opposite: bool) -> tuple[Integers, Fraction]:
        """2 pi E[(a.z)_+^k (+-a.z')_+^k] as integers times a fraction (without ``2**(k exponent - bits)``)."""
        psi = self.theta if opposite else self.fixed.pi - self.theta
        G = -self.G if opposite else self.G
        if degree == 0:
            return psi, Fraction(1)
        if degree == 1:
            return (self.h << self.fixed.bits) + psi * G, Fraction(1, 1 if gaussian else D)
        value = 3 * (self.h << self.fixed.bits) * G + psi * (self.AB + 2 * G * G)
        return value, Fraction(1, 1 if gaussian else D * (D + 2))


def _assemble(claim: Claim, pairs: _Angles) -> tuple[Integers, Integers, Fraction]:
    """Sum of the kernel's terms with their rational coefficients, over one common denominator."""
    D, activation = claim.Z.shape[1], claim.activation
    terms: list[tuple[Fraction, Integers]] = [(Fraction(0), 0 * pairs.G)]  # alone for the zero activation
    if claim.norm == "f2" or activation.degree == 1:
        terms += [(c, values) for c, values in _product(activation, pairs, D, claim.law == "gaussian")]
    if claim.norm == "ntk":
        degree = activation.degree
        slope = Activation(degree - 1, degree * activation.right, -degree * activation.left)
        terms += [(c, values * pairs.G) for c, values in _product(slope, pairs, D, claim.law == "gaussian")]
    denominator = math.lcm(*(c.denominator for c, _ in terms))
    N = sum(int(c * denominator) * values for c, values in terms)
    size = sum(abs(int(c * denominator)) for c, _ in terms)
    error = size * (pairs.length + 1) ** activation.degree << LOST_BITS
    error[pairs.length == 0] = 0  # the kernel is exactly 0 there, and so is every term above
    return np.asarray(N), error, power_of_two(activation.degree * pairs.exponent - pairs.fixed.bits) / denominator


def _product(activation: Activation, pairs: _Angles, D: int, gaussian: bool) -> list[tuple[Fraction, Integers]]:
    """2 pi E[sigma sigma'] = (r^2 + l^2) E[+ +] + 2 r l E[+ -] as (coefficient, integers)."""
    right, left = Fraction(activation.right), Fraction(activation.left)
    terms = []
    for coefficient, opposite in ((right**2 + left**2, False), (2 * right * left, True)):
        if coefficient:
            values, constant = pairs.expectation(activation.degree, D, gaussian, opposite)
            terms.append((coefficient * constant, values))
    return terms
