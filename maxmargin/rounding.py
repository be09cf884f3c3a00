"""The error model of every proof in the package, stated once, and the few tools that carry it.

**Model.**  An operation + - * / sqrt on floats returns the exact result times 1 + d with |d| <= u, u the unit roundoff
of the format: 2^-53 for float64, what `numpy.finfo` states for `numpy.longdouble` (2^-64 on x86, 2^-53 where it is
float64, as on Windows and Apple silicon; nothing may assume more).  A conversion to a narrower format is an operation.
Products of subnormal size are outside of the model; data that reach them are scaled by powers of two first.

**Consequences.**  k operations in any order err by at most ``gamma_k = k u / (1 - k u)`` relative to the sum of the
absolute terms (Higham, Accuracy and Stability of Numerical Algorithms, 2002, Sec. 3.1): `relative_error`.  That is
first order in the *terms*: where terms cancel, the result may have no digit left.  So what can cancel and stands in a
proof is summed in integers (`integers`, exact for all floats), and rounded once (`nearest`): its error is then relative
to the *result*.  A bound is moved outward by its error and one float more, which pays for the last addition
(`below`, `above`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.object_]

UNIT_ROUNDOFF = 2.0**-53
_KEPT = 160  # leading bits of an integer that reach `nearest`: all that any format could use


def roundoff(kind: Any) -> float:
    """The unit roundoff u of a floating-point format."""
    return float(np.finfo(kind).eps) / 2.0


def relative_error(terms: int, unit_roundoff: float = UNIT_ROUNDOFF) -> float:
    """gamma_k = k u / (1 - k u): relative error of k accumulated roundings."""
    return terms * unit_roundoff / (1.0 - terms * unit_roundoff)


def dot_error(magnitude: float, terms: int) -> float:
    """Bound on the rounding error of a dot product.

    Parameters
    ----------
    magnitude : sum_i |x_i y_i|, itself computed in floating point.
    terms : number of terms k (add a few for scalings that follow).
    """
    return relative_error(2 * terms + 4) * magnitude


def below(value: float, error: float) -> float:
    """Largest float that is surely <= the true value when |true - value| <= error; a value without error stays."""
    return value if error == 0.0 else math.nextafter(value - error, -math.inf)


def above(value: float, error: float) -> float:
    """Smallest float that is surely >= the true value when |true - value| <= error; a value without error stays."""
    return value if error == 0.0 else math.nextafter(value + error, math.inf)


def integers(values: NDArray[np.float64]) -> tuple[Integers, int]:
    """Integers N and an exponent e with ``values = N 2**e`` exactly."""
    mantissa, exponent = np.frexp(np.asarray(values, dtype=float))
    lowest = int(exponent.min(initial=0)) - 53  # the exponent of 0 is 0
    shift = (exponent - 53 - lowest).astype(object)
    return np.asarray(np.ldexp(mantissa, 53).astype(np.int64).astype(object) << shift), lowest


def mantissas(values: Integers, kind: Any = float) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Floats m of the format `kind` and exponents e with ``values = m 2**e`` up to two roundoffs of each entry.

    Whatever the size of the integers: each keeps its own leading bits.
    """
    flat = [int(value) for value in values.ravel()]
    exponents = [max(abs(value).bit_length() - _KEPT, 0) for value in flat]
    out = np.empty(len(flat), kind)
    for k, (value, exponent) in enumerate(zip(flat, exponents, strict=True)):
        kept = value >> exponent
        first = float(kept)
        # in float64 `first` is the nearest float and the second part is lost; a longer format needs both
        out[k] = kind(first) + kind(float(kept - int(first)))
    return out.reshape(values.shape), np.array(exponents, dtype=np.int64).reshape(values.shape)


def nearest(values: Integers, exponent: int, kind: Any = float) -> NDArray[Any]:
    """``values 2**exponent`` in the format `kind`, each entry within two roundoffs of it."""
    m, e = mantissas(values, kind)
    return np.asarray(np.ldexp(m, e + exponent))
