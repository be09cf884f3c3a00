"""Degree 2 on the whole sphere: max over unit a of |g(a)| <= U, cell by cell.

On a cell C the payoff is a'Va, and g is continuously differentiable, so that a maximiser of s g on the sphere is, in
the closed cell that contains it, a unit eigenvector of sV with eigenvalue s g(a).  Hence a cell is settled when

* no eigenvalue of sV exceeds U (nearly always), or
* no eigenvector of sV with eigenvalue > U lies in C.  Let u_i = s_i z_i / |z_i| be the inward normals of C.  A unit
  eigenvector e in C has all u_i.e >= 0; if nu >= 0 is such that sum_i nu_i u_i.e <= eps for every unit e near the span
  of these eigenvectors, then u_i.e <= eps / nu_i for each i, which is absurd when the u_i span that space and eps is
  small.  Such a nu exists if (and only if) the span meets C in 0 alone (Gordan), and least squares find it.
  For one or two such eigenvectors, by far the most frequent, `outside` looks at all normals of many cells at once.

Eigenvalues and eigenvectors of many small symmetric matrices at once are floats that carry their error, proved a
posteriori from residuals: LAPACK only proposes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from .arrangement import Signs
from .cells import Batch, Index
from .exact import Integers, is_positive_semidefinite, relative_error, to_floats
from .fields import Array
from .pieces import Pieces
from .precise import excluded_precisely
from .projection import project
from .verdict import UNLIMITED, Limits, NotSettled, Refusal

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


def quadratic_cells(pieces: Pieces) -> QuadraticCells:
    """The argument for ``|g(a)| <= U`` on the unit sphere."""
    return QuadraticCells(pieces, pieces.unit_normals, float(np.linalg.norm(pieces.error)) * 1.001)


@dataclass(frozen=True)
class QuadraticCells:
    """The argument for one cell, in floats for many at once and with exact counts of eigenvalues for the others.

    Attributes
    ----------
    pieces : the payoff's forms on the cells.
    normals : (N, D) unit normals.
    slack : bound on the error of V in the Frobenius norm.
    """

    pieces: Pieces
    normals: Array
    slack: float

    def sift(self, batch: Batch) -> Iterator[tuple[int, Signs]]:
        """Cells that may have an eigenvalue above U: by the Frobenius norm, then by Gershgorin in the eigenbasis."""
        forms, limit = batch.forms, self.pieces.float_bound * (1.0 - 1e-15) - self.slack
        size = np.sqrt((forms * forms).sum(axis=2)) * (1.0 + 1e-14)
        rows, choice = np.nonzero(~(size <= limit))
        if not rows.size:
            return
        D = self.normals.shape[1]
        top, bottom = eigenvalue_range(forms[rows, choice].reshape(-1, D, D))
        cells = batch.cells(rows, choice)
        yield 1, cells[~(top <= limit)]
        yield -1, cells[~(-bottom <= limit)]

    def settle(self, cells: Signs, output: int, limits: Limits = UNLIMITED) -> None:
        """Show that no eigenvector with eigenvalue > U lies in these cells: in floats for nearly all, then exactly."""
        limits.demand()
        D, bound = self.normals.shape[1], self.pieces.float_bound * (1.0 - 1e-15)
        V = self.pieces.float_forms(cells).reshape(-1, D, D) * output
        vectors, k, off = top_space(V, self.slack, bound)
        for row in np.flatnonzero(~outside(vectors, k, off, cells, self.normals)):
            limits.demand()
            inward = cells[row][:, None] * self.normals
            if not _excluded(vectors[row, :, D - k[row] :], off[row], inward):
                self._settle_exactly(cells[row], output)

    def _settle_exactly(self, cell: Signs, output: int) -> None:
        D, bound = self.normals.shape[1], self.pieces.bound
        exact = (self.pieces.exact_form(cell) * output).reshape(D, D)
        if is_positive_semidefinite(_bound_minus(bound, exact)):
            return
        V = to_floats(exact)
        values, vectors = np.linalg.eigh(V)
        k = next((k for k in range(1, D) if _at_most(bound, exact, vectors[:, D - k :])), D)
        if _excluded(vectors[:, D - k :], _distance(V, values, vectors, k), cell[:, None] * self.normals):
            return
        if not excluded_precisely(exact, bound, self.pieces.lines * cell.astype(int).astype(object)[:, None]):
            _refuse(self.pieces, vectors, output)


def _bound_minus(bound: Fraction, V: Integers) -> list[list[Fraction]]:
    return [[(bound if i == j else 0) - Fraction(int(v)) for j, v in enumerate(row)] for i, row in enumerate(V)]


def _at_most(bound: Fraction, V: Integers, top: Array) -> bool:
    """At most k eigenvalues of V exceed the bound: bound I - V + c W W' is semidefinite for the k columns of W."""
    W = [[Fraction(float(v)) for v in column] for column in top.T]
    shift = 4 * sum(abs(Fraction(int(v))) for v in V.ravel())
    matrix = _bound_minus(bound, V)
    for column in W:
        matrix = [[m + shift * column[i] * column[j] for j, m in enumerate(row)] for i, row in enumerate(matrix)]
    return is_positive_semidefinite(matrix)


def _distance(V: Array, values: Array, vectors: Array, k: int) -> float:
    """How far an eigenvector of one of the k largest eigenvalues can be from the span of their computed eigenvectors.

    Its eigenvalue is at least lambda_k; for the others' approximate eigenvectors W_s with residual R_s,
    ``|W_s'e| <= |R_s| / (lambda_k - lambda_s)``.  inf when the two groups are too close to tell.
    """
    D = len(V)
    size = float(np.linalg.norm(V)) * (1.0 + 1e-14)
    rounding = relative_error(4 * D + 16) * D * size * 2.0
    defect = float(np.linalg.norm(vectors.T @ vectors - np.eye(D))) + relative_error(2 * D + 8) * D
    if k == D:
        return 2.0 * defect
    residual = np.linalg.norm(V @ vectors - vectors * values, axis=0)
    gap = float(values[D - k] - values[D - k - 1]) - 2.0 * (
        float(np.linalg.norm(residual)) * 1.01 + rounding + size * defect
    )
    return 2.0 * defect + 1.01 * (float(np.linalg.norm(residual[: D - k])) + rounding) / gap if gap > 0.0 else math.inf


def _excluded(top: Array, eta: float, inward: Array) -> bool:
    """No unit vector within eta of the span of the columns of `top` lies in {a : inward a >= 0}."""
    D, k = top.shape
    if not eta < 0.5:
        return False
    local = inward @ top
    # nu: the weights with which other normals cancel one of them, tried for one normal after the other
    order = np.argsort(-np.linalg.norm(local, axis=1))
    for i in order[: 4 * D]:
        active, weights = project(local[i], local)
        if active and _contradiction(local, np.append(active, i), np.append(weights, 1.0), eta, k):
            return True
    return False


def _contradiction(local: Array, rows: Index, nu: Array, eta: float, k: int) -> bool:
    """sum nu_i u_i.e is tiny for every e near the span, yet the u_i.e >= 0 cannot all be small."""
    normals = local[rows]
    eps = float(np.linalg.norm(nu @ normals)) * 1.01 + float(nu.sum()) * (eta + relative_error(8 * len(nu) + 64))
    smallest = float(np.linalg.svd(normals, compute_uv=False)[k - 1]) if len(rows) >= k else 0.0
    reach = (smallest - 1e-13 * len(rows)) * (1.0 - eta) - eta * len(rows)
    return reach > 0.0 and float(np.linalg.norm(eps / nu)) * 1.01 < reach


def _refuse(pieces: Pieces, vectors: Array, output: int) -> NoReturn:
    """Refuse: an eigenvector is paid more than U (exactly), or else nothing is settled."""
    D = len(vectors)
    for a in (*vectors.T, *-vectors.T):
        whole = np.array([int(v * 2.0**60) for v in a], dtype=object)
        form = (pieces.exact_form(np.sign(pieces.lines @ whole).astype(np.int8)) * output).reshape(D, D)
        if Fraction(int(whole @ form @ whole)) > pieces.bound * int(whole @ whole):
            raise Refusal(f"upper: the neuron with direction {np.round(a, 6).tolist()} is paid more than is claimed")
    raise NotSettled("upper: a cell of directions could not be settled, so that the claim is not proved")
