"""Eigenvalues and eigenvectors of many small symmetric matrices at once, in floats that carry their error.

Everything is proved a posteriori from residuals: LAPACK only proposes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .arrangement import Signs
from .exact import relative_error
from .fields import Array

GAP = 1e-6  # eigenvalues closer than this to U, relative to |V|, count as if above it
SHORT = 1e-3  # normals with a shorter projection on a plane are left out


def eigenvalue_range(V: Array) -> tuple[Array, Array]:
    """Rigorous upper and lower bounds on the eigenvalues of symmetric matrices (B, D, D).

    With W the computed eigenvectors, Gershgorin's discs bound the spectrum of T = W'VW; the Rayleigh quotient of V at
    Wy is y'Ty / |Wy|^2, so that with ``|W'W - I| <= omega`` the spectrum of V is at most 2 omega |V| further out.
    """
    W = np.linalg.eigh(V)[1]
    transposed = np.swapaxes(W, 1, 2)
    D = V.shape[1]
    T = transposed @ V @ W
    size = np.sqrt((V * V).sum(axis=(1, 2)))
    rounding = relative_error(4 * D * D + 16) * size * D
    omega = np.sqrt(((transposed @ W - np.eye(D)) ** 2).sum(axis=(1, 2))) + relative_error(2 * D + 4) * D
    diagonal = np.diagonal(T, axis1=1, axis2=2)
    radius = np.abs(T).sum(axis=2) - np.abs(diagonal)
    spread = rounding + 4.0 * omega * size
    return (diagonal + radius).max(axis=1) + spread, (diagonal - radius).min(axis=1) - spread


def top_space(V: Array, slack: float, bound: float) -> tuple[Array, NDArray[np.intp], Array]:
    """Where eigenvectors with an eigenvalue above `bound` can lie, for matrices within `slack` (Frobenius) of V.

    For such an e and a computed eigenvector W_s with value w_s < bound and residual R_s = V W_s - w_s W_s,
    ``|W_s'e| <= (|R_s| + slack |W_s|) / (bound - w_s)``.

    Returns
    -------
    vectors : (B, D, D) computed eigenvectors in columns, eigenvalues ascending.
    k, off : (B,) every unit such e is within `off` of the span of the last k of them.
    """
    values, W = np.linalg.eigh(V)
    D = V.shape[1]
    size = np.sqrt((V * V).sum(axis=(1, 2))) * (1.0 + 1e-14)
    defect = np.sqrt(((np.swapaxes(W, 1, 2) @ W - np.eye(D)) ** 2).sum(axis=(1, 2))) + relative_error(2 * D + 8) * D
    R = V @ W - W * values[:, None, :]
    residual = np.sqrt((R * R).sum(axis=1)) + (relative_error(4 * D + 16) * D * size * 2.0 + slack)[:, None]
    distance = bound - values
    top = ~(distance > GAP * size[:, None])
    shares = np.where(top, 0.0, residual / np.where(top, 1.0, distance))
    off = 1.02 * np.sqrt((shares * shares).sum(axis=1)) + 2.0 * defect
    return W, top.sum(axis=1), off


def outside(vectors: Array, k: NDArray[np.intp], off: Array, cells: Signs, normals: Array) -> NDArray[np.bool_]:
    """Cells (B, N) that hold no unit vector within `off` of the span of their last k <= 2 `vectors`; False: not proved.

    Such a vector is ``sum_j c_j W_j + rest`` with |c| >= 0.9 and |rest| <= off < 0.05.  If for every unit c some inward
    unit normal u has ``sum_j c_j W_j.u <= -reach``, it is outside the cell as soon as 0.9 reach exceeds off.
    """
    D = normals.shape[1]
    reach = np.where(k == 0, np.inf, -np.inf)
    for size, measure in ((1, _line_reach), (2, _plane_reach)):
        rows = np.flatnonzero(k == size) if size <= D else np.zeros(0, dtype=np.intp)
        if rows.size and len(normals):
            local = cells[rows][:, :, None] * (normals @ vectors[rows, :, D - size :])
            reach[rows] = measure(local)
    return (off < 0.05) & (0.9 * reach > 1.01 * off + relative_error(16 * D + 64))


def _line_reach(local: Array) -> Array:
    """For projections (B, N, 1): some of them reach this far on either side."""
    return np.asarray(np.minimum(local.max(axis=(1, 2)), -local.min(axis=(1, 2))))


def _plane_reach(local: Array) -> Array:
    """For projections (B, N, 2): for every direction c, one of them has ``l.c <= -reach``.

    With G the largest angle between neighbours, -c is within G/2 of one of them, and all are longer than `SHORT`.
    """
    length, angle = np.hypot(local[:, :, 0], local[:, :, 1]), np.arctan2(local[:, :, 1], local[:, :, 0])
    longest = np.take_along_axis(angle, length.argmax(axis=1)[:, None], axis=1)
    angle = np.sort(np.where(length > SHORT, angle, longest), axis=1)
    around = np.hstack([angle, angle[:, :1] + 2.0 * np.pi])
    gap = np.diff(around, axis=1).max(axis=1)
    # arctan2 and cos are assumed accurate to 1e-12; NumPy promises nothing and reaches 1e-15
    return np.where(gap < np.pi, SHORT * (np.cos(0.5 * gap) - 1e-12), -np.inf)
