"""Degree 2 on the whole sphere: max over unit a of |g(a)| <= U, cell by cell.

On a cell C the payoff is a'Va, and g is continuously differentiable, so that a maximiser of s g on the sphere is, in
the closed cell that contains it, a unit eigenvector of sV with eigenvalue s g(a).  Hence a cell is settled when

* no eigenvalue of sV exceeds U (nearly always), or
* no eigenvector of sV with eigenvalue > U lies in C.  Let u_i = s_i z_i / |z_i| be the inward normals of C.  A unit
  eigenvector e in C has all u_i.e >= 0; if nu >= 0 is such that sum_i nu_i u_i.e <= eps for every unit e near the span
  of these eigenvectors, then u_i.e <= eps / nu_i for each i, which is absurd when the u_i span that space and eps is
  small.  Such a nu exists if (and only if) the span meets C in 0 alone (Gordan), and least squares find it.
  For one or two such eigenvectors, by far the most frequent, `eigenvectors` looks at all normals of many cells at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NoReturn

import numpy as np

from .arrangement import Signs
from .cells import Batch, Index
from .eigenvectors import eigenvalue_range, outside, top_space
from .exact import Integers, is_positive_semidefinite, relative_error, to_floats
from .fields import Array
from .pieces import Pieces
from .precise import excluded_precisely
from .projection import project
from .verdict import UNLIMITED, Limits, NotSettled, Refusal


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
