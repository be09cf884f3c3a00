"""Degree 2 on the whole sphere: max over unit a of |g(a)| <= U, cell by cell.

On a cell C the payoff is a'Va, and g is continuously differentiable, so that a maximiser of s g on the sphere is, in the
closed cell that contains it, a unit eigenvector of sV with eigenvalue s g(a).  Hence a cell is settled when

* no eigenvalue of sV exceeds U (nearly always), or
* no eigenvector of sV with eigenvalue > U lies in C.  Let the columns of W span (approximately) the eigenvectors with
  eigenvalue > U, nu >= 0 and u_i = s_i z_i / |z_i| the inward normals of C.  For a unit eigenvector e in C all u_i.e >= 0, so

      sum_i nu_i u_i.e <= eps   implies   u_i.e <= eps / nu_i,

  which contradicts ``|(u_i.e)_i| >= sigma_min - eta`` when ``eps`` is small: nu comes from non-negative least squares.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .arrangement import Signs
from .exact import Array, Integers, is_positive_semidefinite, relative_error, to_floats
from .linear import project
from .pieces import Pieces, cell_signs, visit_cells
from .verdict import Refusal


@dataclass
class Tally:
    """Visits, and the cells that wait for the second argument (packed signs and output sign -> cell)."""

    visits: int = 0
    pending: dict[bytes, tuple[Signs, int]] = field(default_factory=dict)


def check_quadratic(pieces: Pieces) -> str:
    """Prove ``|g(a)| <= U`` on the unit sphere, or raise `Refusal`."""
    tally = Tally()
    normals = pieces.normals / np.abs(pieces.normals).max(axis=1, keepdims=True, initial=1e-300)
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    for forms, subsets, signs in visit_cells(pieces):
        _sift(pieces, forms, subsets, signs, tally)
    for cell, output in tally.pending.values():
        _settle_cell(pieces, normals, cell, output)
    return f"{tally.visits} visits to the cells of {len(normals)} hyperplanes, {len(tally.pending)} cells settled one by one"


def _sift(pieces: Pieces, forms: Array, subsets: NDArray[np.intp], signs: Signs, tally: Tally) -> None:
    """Cells without an eigenvalue above U, by the Frobenius norm and by Gershgorin discs of V in its eigenbasis."""
    tally.visits += forms.shape[0] * forms.shape[1]
    slack = float(np.linalg.norm(pieces.error)) * 1.001
    large = np.sqrt((forms * forms).sum(axis=2)) * (1.0 + 1e-14) + slack > pieces.float_bound * (1.0 - 1e-15)
    rows, choice = np.nonzero(large)
    if not rows.size:
        return
    D = pieces.normals.shape[1]
    V = forms[rows, choice].reshape(-1, D, D)
    top, bottom = _eigenvalue_range(V)
    cells = cell_signs(subsets, signs, rows, choice)
    for output, extreme in ((1, top + slack), (-1, slack - bottom)):
        for j in np.flatnonzero(~(extreme <= pieces.float_bound * (1.0 - 1e-15))):
            tally.pending.setdefault(bytes([output + 1]) + np.packbits(cells[j] > 0).tobytes(), (cells[j], output))


def _eigenvalue_range(V: Array) -> tuple[Array, Array]:
    """Rigorous upper and lower bounds on the eigenvalues of symmetric matrices (B, D, D).

    With W the computed eigenvectors and T = W'VW (rounding bound included), V - tW'^-1 W^-1 ... Gershgorin bounds the
    spectrum of T; since ``|W'W - I| <= omega`` the spectrum of V lies within a factor (1 +- 2 omega) of it.
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


def _settle_cell(pieces: Pieces, normals: Array, cell: Signs, output: int) -> None:
    """Show that no eigenvector with eigenvalue > U lies in the cell; exact where floats cannot count the eigenvalues."""
    D = normals.shape[1]
    exact = (pieces.exact_form(cell) * output).reshape(D, D)
    if is_positive_semidefinite(_bound_minus(pieces.bound, exact)):
        return
    scaled = to_floats(np.append(exact.ravel(), int(pieces.bound)))
    V, U = scaled[:-1].reshape(D, D), float(scaled[-1])
    values, vectors = np.linalg.eigh(V)
    for k in range(1, D + 1):
        if k == D or _at_most(pieces.bound, exact, vectors[:, D - k :]):
            break
    if _excluded(V, values, vectors, k, cell[:, None] * normals):
        return
    raise Refusal(f"upper: {_witness(pieces, vectors, output, U)}")


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


def _excluded(V: Array, values: Array, vectors: Array, k: int, inward: Array) -> bool:
    """No unit eigenvector of the k largest eigenvalues lies in {a : inward a >= 0}; every float here carries its error.

    For an eigenvector e whose eigenvalue is at least lambda_k, and the others' approximate eigenvectors W_s with
    residual R_s: ``|W_s'e| <= |R_s| / (lambda_k - lambda_s)``, so that e is within eta of the span of the top k.
    """
    D = len(V)
    top, rest = vectors[:, D - k :], vectors[:, : D - k]
    size = float(np.linalg.norm(V)) * (1.0 + 1e-14)
    rounding = relative_error(4 * D + 16) * D * size * 2.0
    defect = float(np.linalg.norm(vectors.T @ vectors - np.eye(D))) + relative_error(2 * D + 8) * D
    eta = 2.0 * defect
    if k < D:
        gap = float(values[D - k] - values[D - k - 1]) - 2.0 * (
            float(np.linalg.norm(V @ vectors - vectors * values)) * 1.01 + rounding + size * defect
        )
        if gap <= 0.0:
            return False
        eta += 1.01 * (float(np.linalg.norm(V @ rest - rest * values[: D - k])) + rounding) / gap
    local = inward @ top
    # nu = -(the weights that cancel one normal with the others), for each normal in turn until one contradiction is found
    order = np.argsort(-np.linalg.norm(local, axis=1))
    for i in order[: 4 * D]:
        active, weights = project(local[i], local)
        if active and _contradiction(local, np.append(active, i), np.append(weights, 1.0), eta, k):
            return True
    return False


def _contradiction(local: Array, rows: NDArray[np.intp], nu: Array, eta: float, k: int) -> bool:
    """sum nu_i u_i.e is tiny for every e near the span, yet the u_i.e >= 0 cannot all be small."""
    normals = local[rows]
    eps = float(np.linalg.norm(nu @ normals)) * 1.01 + float(nu.sum()) * (eta + relative_error(8 * len(nu) + 64))
    smallest = float(np.linalg.svd(normals, compute_uv=False)[k - 1]) if len(rows) >= k else 0.0
    reach = (smallest - 1e-13 * len(rows)) * (1.0 - eta) - eta * len(rows)
    return reach > 0.0 and float(np.linalg.norm(eps / nu)) * 1.01 < reach


def _witness(pieces: Pieces, vectors: Array, output: int, bound: float) -> str:
    """Say whether an eigenvector is paid more than U (exactly), or only that nothing is proved."""
    D = len(vectors)
    for a in (*vectors.T, *-vectors.T):
        whole = np.array([int(v * 2.0**60) for v in a], dtype=object)
        form = (pieces.exact_form(np.sign(pieces.lines @ whole).astype(np.int8)) * output).reshape(D, D)
        if Fraction(int(whole @ form @ whole)) > pieces.bound * int(whole @ whole):
            return f"the neuron with direction {np.round(a, 6).tolist()} is paid more than the claim allows"
    return "a cell of directions could not be settled, so that the claim is not proved"
