"""Whether the margin can be zero at all: the supported features must be linearly dependent.

gamma = 0 means ``sum_i p_i y_i sigma(a.z_i) = 0`` for every a.  Across the hyperplane of each line through the origin
the kinks must cancel: with p_i > 0, over the z_i on one line,

    degree 1:  sum p_i y_i |z_i| = 0                     degree 2:  sum p_i y_i s_i |z_i|^2 = 0,   s_i = side of z_i

so that some z_i is 0, or two of them lie on one line with opposite signs.  A sigma without a kink (u or u^2) is free of
this, and so is a finite dictionary, which need not tell two functions apart.  Kernels of such functions inherit it.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .claim import Activation, Claim
from .exact import Array, integers
from .verdict import Refusal

SINE = Fraction(4, 10**15)  # two points on one line, as far as floats can say
NEAR = 1e-12  # a screen in floats: pairs with |cos| below 1 - NEAR have a sine above 1e-6


def check_dependence(claim: Claim) -> None:
    """`Refusal` if no two supported points cancel each other's kink and none is 0."""
    support = np.flatnonzero(claim.p)
    Z, y = claim.Z[support], [int(label) for label in claim.y[support]]
    if claim.scope == "dictionary" or not _has_kink(claim.activation) or not Z.any(axis=1).all():
        return
    if not any(_cancel(Z[[i, j]], y[i] * y[j], claim.activation.degree) for i, j in _nearly_parallel(Z)):
        raise Refusal(
            "status: 'not-separable' needs an adversary with a point at zero or two points that cancel on one line, "
            f"but no two of its {len(support)} points do, so that some f earns from it"
        )


def _has_kink(activation: Activation) -> bool:
    """sigma is neither linear (degree 1) nor a square (degree 2)."""
    return activation.right != (-activation.left if activation.degree == 1 else activation.left)


def _nearly_parallel(Z: Array) -> NDArray[np.intp]:
    """Pairs i < j (B, 2) of nonzero rows whose lines floats hardly tell apart."""
    units = Z / np.abs(Z).max(axis=1, keepdims=True)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    return np.argwhere(np.triu(~(np.abs(units @ units.T) < 1.0 - NEAR), 1))


def _cancel(pair: Array, labels: int, degree: int) -> bool:
    """Exactly: the sine of the angle is at most `SINE`, and the effective signs differ (labels = y_i y_j)."""
    (a, b), _ = integers(pair)
    lengths, product = int(a @ a) * int(b @ b), int(a @ b)
    opposite = labels < 0 if degree == 1 else labels * product < 0
    return opposite and lengths - product * product <= SINE**2 * lengths
