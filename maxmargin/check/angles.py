"""Fixed-point arithmetic on integer arrays, with the one transcendental function that the kernels need: an angle.

A number x stands as the integer ``floor(x 2**bits)``; every operation truncates, and the bounds below count the units
lost.  NumPy's ``arctan2`` guesses the angle; exact Newton corrections make it independent of NumPy's accuracy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .exact import Integers

# Units (2**-bits) by which `FixedPoint.angle` can be off: see its docstring.
ANGLE_ERROR = 1 << 24
PI_ERROR = 64  # units by which `FixedPoint.pi` can be off

_CELLS = 10  # angles are looked up in steps of 2**-_CELLS
_ENTRIES = 1640  # entries of the table: angles up to 1.6
_GUESS = 48  # binary digits that are right in a float64 guess
_isqrt = np.frompyfunc(math.isqrt, 1, 1)


def floor_sqrt(values: Integers) -> Integers:
    """floor(sqrt(N)) elementwise for integers N >= 0."""
    return np.asarray(_isqrt(values), dtype=object)


@dataclass(frozen=True)
class FixedPoint:
    """Numbers with that many binary digits after the point; at most 4096.

    Attributes
    ----------
    bits : at least 160.
    """

    bits: int

    @cached_property
    def one(self) -> int:
        """The number 1 in this format, 2**bits."""
        return 1 << self.bits

    @cached_property
    def pi(self) -> int:
        """floor(pi 2**bits) up to 40 units: Machin's 16 arctan(1/5) - 4 arctan(1/239) with 64 guard bits."""
        return (16 * self._arctan_inverse(5) - 4 * self._arctan_inverse(239)) >> 64

    def _arctan_inverse(self, x: int) -> int:
        """arctan(1/x) in units of 2**-(bits + 64); the alternating series, one unit lost per term."""
        power = (self.one << 64) // x
        total, k = power, 1
        while power:
            power //= -x * x
            k += 2
            total += power // k
        return total

    @cached_property
    def _table(self) -> tuple[Integers, Integers]:
        grid = np.array([k << (self.bits - _CELLS) for k in range(_ENTRIES)], dtype=object)
        return self._taylor(grid)

    def cos_sin(self, theta: Integers) -> tuple[Integers, Integers]:
        """cos and sin of fixed-point angles in [0, 1.6], each within 2**12 units.

        theta = k/1024 + r: the values at k/1024 come from a table, those at r < 2**-10 from a few terms, each series
        until its terms are below a unit (fewer than 700 of them, each of which loses a unit or two), joined by the
        addition theorem.
        """
        k = theta >> (self.bits - _CELLS)
        cos_r, sin_r = self._taylor(theta - (k << (self.bits - _CELLS)))
        cos_k, sin_k = (table[k.astype(int)] for table in self._table)
        return (cos_k * cos_r - sin_k * sin_r) >> self.bits, (sin_k * cos_r + cos_k * sin_r) >> self.bits

    def _taylor(self, theta: Integers) -> tuple[Integers, Integers]:
        cosine, sine, term, k = np.full(theta.shape, self.one, dtype=object), theta.copy(), theta, 1
        while term.any():
            k += 1
            term = (term * theta >> self.bits) // k
            if k % 2:
                sine = sine + (-1) ** (k // 2) * term
            else:
                cosine = cosine + (-1) ** (k // 2) * term
        return cosine, sine

    def angle(self, along: Integers, across: Integers, length: Integers) -> Integers:
        """theta in [0, pi] with cos = along/length and sin = across/length, within ANGLE_ERROR units.

        Parameters
        ----------
        along, across, length : integers, ``across >= 0``, ``length > 0``, ``along**2 + across**2 = length**2`` up to
            ``2**-(bits - 20)`` relative.

        With a guess theta0 that errs by less than 2**-k, ``s = sin(theta - theta0) = sin cos0 - cos sin0`` is known
        within 2**15 units, and ``theta - theta0 = arcsin s`` differs from it by less than ``|s|**3 < 2**-3k``: with
        k = 48 for floats, 144 after one correction, 432 after two, and so on.
        """
        flipped = along < 0
        cosine = (np.abs(along) << self.bits) // length
        sine = (across << self.bits) // length
        theta, right = self._guess(cosine, sine), _GUESS
        while right < self.bits - 16:
            cosine0, sine0 = self.cos_sin(theta)
            correction = (sine * cosine0 - cosine * sine0) >> self.bits
            if correction.size and max(int(correction.max()), -int(correction.min())) >> max(self.bits - right, 17):
                raise ArithmeticError(f"an angle's guess is off by more than 2**-{right}")
            theta, right = np.maximum(theta + correction, 0), 3 * right
        return np.where(flipped, self.pi - theta, theta)

    def _guess(self, cosine: Integers, sine: Integers) -> Integers:
        down = self.bits - 60
        floats = np.arctan2((sine >> down).astype(float), (cosine >> down).astype(float))
        return np.rint(np.ldexp(np.clip(floats, 0.0, 1.5707963267948966), 60)).astype(np.int64).astype(object) << down
