"""Rigorous bounds on float64 rounding, so that a printed bracket survives exact arithmetic.

A dot product of k terms evaluated in floating point in any order errs by at most
``gamma_k * sum_i |x_i y_i|`` with ``gamma_k = k u / (1 - k u)``, ``u = 2**-53``
(Higham, Accuracy and Stability of Numerical Algorithms, 2002, Sec. 3.1).
"""

from __future__ import annotations

import math

UNIT_ROUNDOFF = 2.0**-53


def relative_error(terms: int) -> float:
    """gamma_k = k u / (1 - k u): relative error of k accumulated roundings."""
    return terms * UNIT_ROUNDOFF / (1.0 - terms * UNIT_ROUNDOFF)


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
