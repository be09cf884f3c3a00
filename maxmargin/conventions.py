"""Every factor of 2, 1/m, sqrt(m) and sqrt(D) of the package stands here, and nowhere else.

Symbols: n points, D the dimension of z (what the activation sees), m neurons, k the degree of the activation.

==============  =====================================================================================
convention      meaning
==============  =====================================================================================
``sphere``      the paper's gamma_1: neurons w = (a, b) on the unit sphere of R^{D+1} (Eq. 4)
``path``        signed measures of total variation <= 1 over unit input weights a (Appendix B)
==============  =====================================================================================

For degree 1, ``|a| |b| <= 1/2`` on the sphere, with equality iff |a| = |b| (Prop. 9): gamma_sphere = gamma_path / 2.
For degree 2 the paper keeps the output weight a sign (S-ReLU), so that both conventions agree.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

# Arrays of numbers, of positions, of yes and no.
Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]

SPHERE, PATH = "sphere", "path"
CONVENTIONS = (SPHERE, PATH)
WEIGHTS = ("sphere", "gaussian")
# What is solved directly, and what its margin is called.
NORMS = {"f1": "F1 max margin", "f2": "F2 max margin", "ntk": "tangent-kernel max margin"}


def variation_factor(degree: int, convention: str) -> float:
    """gamma_1 in this convention divided by gamma_1 in the path convention (Prop. 9)."""
    if convention not in CONVENTIONS:
        raise InputError(f"convention: found {convention!r}, wanted 'sphere' (the paper's) or 'path'")
    return 0.5 if convention == SPHERE and degree == 1 else 1.0


def law_of(law: str, weights: str | None) -> str:
    """The law of the random directions, from `law` or from its older name `weights`.

    Raises
    ------
    InputError : both are given and differ, or there is no such law.
    """
    if weights is not None and law not in ("sphere", weights):
        raise InputError(f"weights: found {weights!r} beside law {law!r}; weights is the older name of law, give one")
    chosen = law if weights is None else weights
    if chosen not in WEIGHTS:
        name = "law" if weights is None else "weights"
        raise InputError(f"{name}: found {chosen!r}, wanted one of {', '.join(WEIGHTS)}")
    return chosen


def kernel_factor(degree: int, D: int, weights: str) -> float:
    """gamma_2 with these random directions divided by gamma_2 with directions uniform on S^{D-1} (Eq. 5).

    A Gaussian a has |a|^2 with mean D and |a|^4 with mean D(D+2), so K_gaussian = factor^2 * K_sphere.
    """
    if weights not in WEIGHTS:
        raise InputError(f"weights: found {weights!r}, wanted 'sphere' (Eq. 5 of the paper) or 'gaussian'")
    if weights == "sphere":
        return 1.0
    return {0: 1.0, 1: math.sqrt(D), 2: math.sqrt(D * (D + 2.0))}[degree]


def inputs(X: Array, bias: bool) -> Array:
    """z = (x, 1) with a bias (bias coordinate last), z = x without; shape (n, D)."""
    if not bias:
        return np.ascontiguousarray(X, dtype=float)
    return np.hstack([np.asarray(X, dtype=float), np.ones((len(X), 1))])


def digest(*arrays: Array) -> str:
    """SHA-256 of the shape of the first array (little-endian int64) and the numbers of all (little-endian float64)."""
    parts = [np.array(arrays[0].shape, dtype="<i8"), *(np.ascontiguousarray(array, dtype="<f8") for array in arrays)]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


def mean_field(m: int) -> float:
    """The 1/m of h_m(w, x) = (1/m) sum_j phi(w_j, x) (Eq. 1)."""
    return 1.0 / m


def mass(hidden: Array, output: Array) -> float:
    """(1/m) sum_j |w_j|^2 with w_j = (a_j, b_j): total mass of the 2-homogeneous projection (Eq. 3)."""
    return float((np.vdot(hidden, hidden) + np.vdot(output, output)) * mean_field(len(output)))


def root_mean_square(output: Array) -> float:
    """sqrt((1/m) sum_j r_j^2) = |r|/sqrt(m): the L2(tau) norm of g for m random features (Prop. 7)."""
    return float(np.linalg.norm(output) / math.sqrt(len(output)))


def relative_gap(lower: float, upper: float) -> float:
    """(upper - lower) / upper; 0 when both are 0, and 1 when nothing bounds the margin from above."""
    if math.isinf(upper):
        return 1.0
    return 0.0 if upper == lower else (upper - lower) / upper


def describe(norm: str, convention: str, weights: str | None) -> str:
    """Norm and unit of a margin, as printed beside every number."""
    if norm == "f1":
        return "F1, unit sphere (gamma_1)" if convention == SPHERE else "F1, path norm (= 2 gamma_1 for ReLU)"
    kind = "F2, L2(tau)" if norm == "f2" else "tangent RKHS"
    return f"{kind}, a uniform on the sphere" if weights != "gaussian" else f"{kind}, a Gaussian"
