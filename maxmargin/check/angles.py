"""Fixed-point arithmetic on integer arrays, with the one transcendental function that the kernels need: an angle.

A number x stands as the integer ``floor(x 2**BITS)``; every operation truncates, and the bounds below count the units
lost.  NumPy's ``arccos`` only guesses the angle; one exact Newton correction makes it independent of NumPy's accuracy.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from .exact import Integers

BITS = 160
ONE = 1 << BITS
# Units (2**-BITS) by which `angle` can be off: see its docstring.
ANGLE_ERROR = 1 << 24

_GRID: Integers = np.array([k << (BITS - 10) for k in range(1640)], dtype=object)
_isqrt = np.frompyfunc(math.isqrt, 1, 1)


def floor_sqrt(values: Integers) -> Integers:
    """floor(sqrt(N)) elementwise for integers N >= 0."""
    return np.asarray(_isqrt(values), dtype=object)


def pi_units() -> int:
    """floor(pi 2**BITS) up to 40 units: Machin's 16 arctan(1/5) - 4 arctan(1/239) with 64 guard bits."""
    return (16 * _arctan_inverse(5) - 4 * _arctan_inverse(239)) >> 64


def _arctan_inverse(x: int) -> int:
    """arctan(1/x) in units of 2**-(BITS + 64); the alternating series, one unit lost a term."""
    power = (ONE << 64) // x
    total, k = power, 1
    while power:
        power //= -x * x
        k += 2
        total += power // k
    return total


def cos_sin(theta: Integers) -> tuple[Integers, Integers]:
    """cos and sin of fixed-point angles in [0, 1.6], each within 2**10 units.

    theta = k/1024 + r: the values at k/1024 come from a table (60 Taylor terms, 1.6**61 / 61! < 2**-230, below 2**8
    units lost), those at r < 2**-10 from 16 terms (2**-170 / 17! < 2**-218, below 2**5 units), joined by the addition
    theorem.
    """
    k = theta >> (BITS - 10)
    cos_r, sin_r = _taylor(theta - (k << (BITS - 10)), 16)
    cos_k, sin_k = (table[k.astype(int)] for table in _taylor(_GRID, 60))
    return (cos_k * cos_r - sin_k * sin_r) >> BITS, (sin_k * cos_r + cos_k * sin_r) >> BITS


def _taylor(theta: Integers, order: int) -> tuple[Integers, Integers]:
    cosine, sine, term = np.full(theta.shape, ONE, dtype=object), theta.copy(), theta
    for k in range(2, order + 1):
        term = (term * theta >> BITS) // k
        if k % 2:
            sine = sine + (-1) ** (k // 2) * term
        else:
            cosine = cosine + (-1) ** (k // 2) * term
    return cosine, sine


def angle(along: Integers, across: Integers, length: Integers) -> Integers:
    """theta in [0, pi] with cos = along/length and sin = across/length, within ANGLE_ERROR units.

    Parameters
    ----------
    along, across, length : integers, ``across >= 0``, ``length > 0``, ``along**2 + across**2 = length**2`` up to
        ``2**-140`` relative.

    With theta0 the float64 guess, ``s = sin(theta - theta0) = sin cos0 - cos sin0`` is known within 2**13 units, and
    ``theta - theta0 = arcsin s`` differs from it by less than ``|s|**3 < 2**-144``, i.e. 2**16 units.
    """
    flipped = along < 0
    cosine = (np.abs(along) << BITS) // length
    sine = (across << BITS) // length
    guess = _guess(cosine, sine)
    cosine0, sine0 = cos_sin(guess)
    correction = (sine * cosine0 - cosine * sine0) >> BITS
    if correction.size and max(int(correction.max()), -int(correction.min())) >> (BITS - 48):
        raise ArithmeticError("the float64 guess of an angle is off by more than 2**-48")
    theta = guess + correction
    return np.where(flipped, pi_units() - theta, theta)


def _guess(cosine: Integers, sine: Integers) -> Integers:
    floats = np.arctan2((sine >> (BITS - 60)).astype(float), (cosine >> (BITS - 60)).astype(float))
    return np.rint(np.ldexp(np.clip(floats, 0.0, 1.5707963267948966), 60)).astype(np.int64).astype(object) << (
        BITS - 60
    )


def units(value: Fraction) -> int:
    """floor(value 2**BITS)."""
    return math.floor(value * ONE)
