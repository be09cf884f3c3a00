"""Degree 1 on the whole sphere: max over unit a of |g(a)| <= U, cell by cell.

On the cell C = {a : s_k z_k.a >= 0 for all k} the payoff is v.a.  For either output sign and any lambda >= 0,

    max_{a in C, |a| = 1} v.a  <=  | v + sum_k lambda_k s_k z_k |        (each s_k z_k.a >= 0)

so a cell is settled by lambda = 0 (nearly always), by one hyperplane, or by the projection of v on C.  By duality the
projection settles every cell on which the claim is true; it is proposed by floats and compared with U under a rigorous
bound, and done in rationals where that is not enough (z_k that are parallel but for their last digits).

The largest payoff is looked for on every face of the arrangement around a ray, in floats (`open_faces`).  Suppose s g
exceeds U >= 0 somewhere on the sphere, and a* maximises it.  Let J be the hyperplanes through a*, F the face with a* in
its relative interior, v the form of any cell that has F as a face, and P the projection along the normals of J.  On F,
s g(a) = s (P v).a, and a* is a local maximum on the unit sphere of J's intersection; hence

    a* = s P v / |P v|,        s g(a*) = |P v| > U,        and a* has the signs of F at all other hyperplanes.

A face is therefore settled if |P v| <= U, or if s P v has a wrong sign at one other hyperplane.  (Every face has a ray,
unless a* lies on all hyperplanes; `all_faces_have_rays`.)  Faces that floats cannot settle are left to the caller.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NoReturn

import numpy as np

from . import arrangement
from .arrangement import Signs
from .cells import Batch, Index
from .exact import relative_error, to_floats
from .fields import Array
from .pieces import Pieces, rounded
from .projection import Mask, project, project_exactly, project_together
from .verdict import UNLIMITED, Limits, NotSettled, Refusal

# Around a ray on m hyperplanes there are 3^m faces but only 2^m cells.
MOST_THROUGH_RAY = 8
FIRST = 12  # hyperplanes that are tested before all others


def all_faces_have_rays(pieces: Pieces) -> bool:
    """Whether g vanishes where all hyperplanes meet: in 0 alone, or their normals span the offset."""
    rank = len(arrangement.independent_columns(pieces.lines)) if len(pieces.lines) else 0
    extended = np.vstack([pieces.lines, pieces.offset[None, :]])
    return rank == pieces.offset.size or (rank > 0 and len(arrangement.independent_columns(extended)) == rank)


def open_faces(batch: Batch, normals: Array, bound: float, form_error: float) -> Iterator[tuple[int, Signs]]:
    """Cells of the batch (output sign, signs) with a face around their ray that is not settled.

    Parameters
    ----------
    normals : (N, D) unit normals, rounded.
    bound : U, rounded down.  form_error : bound on the Euclidean error of every form.
    """
    (B, m), D = batch.subsets.shape, normals.shape[1]
    unit = relative_error(16 * D + 64)
    local = normals[batch.subsets]
    # J as bits -> orthonormal frame of its normals, and the sum of the errors of the frame's vectors
    frames: dict[int, tuple[list[Array], Array]] = {0: ([], np.zeros(B))}
    for J in range(2**m):
        if J:
            j = J.bit_length() - 1
            frames[J] = _extended(*frames[J ^ (1 << j)], local[:, j], unit)
        frame, tilt = frames[J]
        columns = np.array([p for p in range(2**m) if not p & J])
        w = batch.forms[:, columns]
        error = _lengths(w) * (2.0 * tilt[:, None] + 2.0 * unit) + form_error
        for q in frame:
            w -= (w @ q[:, :, None]) * q[:, None, :]
        rows, at = np.nonzero(~(_lengths(w) * (1.0 + 1e-14) + error <= bound))
        others = [k for k in range(m) if not J >> k & 1]
        yield from _inside(
            batch, (local[:, others], normals), (rows, columns[at]), others, (w[rows, at], error[rows, at])
        )


def _lengths(w: Array) -> Array:
    """|w| along the last axis; a reduction over so short an axis is slow in NumPy."""
    return np.asarray(np.sqrt(np.einsum("bpd,bpd->bp", w, w)))


def _extended(frame: list[Array], tilt: Array, z: Array, unit: float) -> tuple[list[Array], Array]:
    """Gram-Schmidt for one more unit normal z; ``|x/|x| - y/|y|| <= 2 |x - y| / |x|`` bounds the error of q."""
    q = z.copy()
    for other in frame:
        q -= (q * other).sum(axis=1, keepdims=True) * other
    length = np.linalg.norm(q, axis=1)
    return [*frame, q / length[:, None]], tilt + 2.0 * (2.0 * tilt + unit) / length


def _inside(
    batch: Batch,
    normals: tuple[Array, Array],
    where: tuple[Index, Index],
    others: list[int],
    found: tuple[Array, Array],
) -> Iterator[tuple[int, Signs]]:
    """Of the faces with |P v| > U, those where s P v may have all signs of the face: near the ray, then anywhere."""
    (local, normals_), (rows, pattern), (w, error) = normals, where, found
    sides = 2.0 * (pattern[:, None] >> np.array(others, dtype=np.intp) & 1) - 1.0
    near = (local[rows] @ w[:, :, None])[:, :, 0] * sides
    low, high = near.min(axis=1, initial=np.inf), near.max(axis=1, initial=-np.inf)
    for output, least in ((1, low), (-1, -high)):
        left = np.flatnonzero(~(least < -error))
        # a few hyperplanes settle nearly all faces: test the first ones, then the rest for the faces left
        for some in (slice(0, FIRST), slice(FIRST, None)):
            heights = output * batch.signs[rows[left], some] * (w[left] @ normals_[some].T)
            left = left[~(heights.min(axis=1, initial=0.0) < -error[left])]
        yield output, batch.cells(rows[left], pattern[left])


def linear_cells(pieces: Pieces) -> LinearCells:
    """The argument for ``|g(a)| <= U`` on the unit sphere; where it fails it names a neuron that is paid more."""
    return LinearCells(pieces, pieces.unit_normals, _square_error(pieces), all_faces_have_rays(pieces))


@dataclass(frozen=True)
class LinearCells:
    """The argument for one cell: in floats for many cells at once, exactly for the cells that floats leave open.

    Attributes
    ----------
    pieces : the payoff's forms on the cells.
    normals : (N, D) unit normals.
    slack : bound on the error of |v|^2 and of the square of any component of v.
    by_faces : whether the argument of `faces` applies around rays in general position.
    """

    pieces: Pieces
    normals: Array
    slack: float
    by_faces: bool

    def sift(self, batch: Batch) -> Iterator[tuple[int, Signs]]:
        """Cells with a face that is not settled around a simple ray, else cells that one lambda does not settle."""
        if self.by_faces and 0 < batch.subsets.shape[1] <= MOST_THROUGH_RAY:
            form_error = float(np.linalg.norm(self.pieces.error)) * 1.001
            yield from open_faces(batch, self.normals, self.pieces.float_bound * (1.0 - 1e-15), form_error)
            return
        v = batch.forms
        square = (v * v).sum(axis=2)
        limit = self.pieces.float_bound**2 * (1.0 - 1e-15) - self.slack
        rows, choice = np.nonzero(~(square <= limit))
        if not rows.size:
            return
        cells, v, square = batch.cells(rows, choice), v[rows, choice], square[rows, choice]
        heights = cells * (v @ self.normals.T)
        for output, depth in ((1, -heights.min(axis=1, initial=0.0)), (-1, heights.max(axis=1, initial=0.0))):
            sure = np.maximum(depth - math.sqrt(self.slack), 0.0)
            yield output, cells[~(square - sure * sure <= limit)]

    def settle(self, cells: Signs, output: int, limits: Limits = UNLIMITED) -> None:
        """The projections of v on all cells in floats, then on each cell, one by one, where that does not suffice."""
        limits.demand()
        for cell in cells[~self._settled_together(cells, output)]:
            limits.demand()
            self._settle_one(cell, output)

    def _settled_together(self, cells: Signs, output: int) -> Mask:
        """Cells (B,) for which |v + sum lambda_k s_k z_k| < U with weights of floats, every rounding included."""
        pieces, D = self.pieces, self.pieces.offset.size
        v, inward = output * pieces.float_forms(cells), cells[:, :, None] * self.normals
        bound = pieces.float_bound * (1.0 - 1e-15)
        weights = project_together(v, inward, 0.999 * bound)
        size = np.abs(v).sum(axis=1) + weights.sum(axis=1) * math.sqrt(D)
        error = relative_error(8 * (D + len(self.normals)) + 64) * size + float(np.linalg.norm(pieces.error)) * 1.001
        length = np.linalg.norm(v + (weights[:, None, :] @ inward)[:, 0], axis=1)
        return np.asarray(length * (1.0 + 1e-14) + error < bound)

    def _settle_one(self, cell: Signs, output: int) -> None:
        """Project v on the cell; exact when floats cannot tell the length of the projection from U."""
        pieces = self.pieces
        exact = pieces.exact_form(cell) * output
        if Fraction(int((exact * exact).sum())) <= pieces.bound**2:
            return
        v, inward = rounded(exact, pieces.scale), cell[:, None] * self.normals
        active, weights = project(v, inward)
        if _length_above(v, inward[active], weights) < pieces.float_bound * (1.0 - 1e-15):
            return
        lines = pieces.lines * cell.astype(int).astype(object)[:, None]
        residual = project_exactly(exact, lines, active, pieces.bound**2)
        if residual is not None:
            _refuse(pieces, residual, output)


def _square_error(pieces: Pieces) -> float:
    D = pieces.error.size
    size = float(np.linalg.norm(np.abs(pieces.float_offset) + np.abs(pieces.float_jumps).sum(axis=0)))
    spread = float(np.linalg.norm(pieces.error)) + relative_error(4 * D + 16) * size
    return 4.0 * spread * (size + spread) + 1e-290


def _length_above(v: Array, rows: Array, weights: Array) -> float:
    """At least |v + sum weights_k rows_k|, for vectors and unit rows that are rounded in their last places."""
    size = float(np.abs(v).sum()) + float(weights.sum()) * math.sqrt(v.size)
    error = relative_error(8 * (v.size + len(weights)) + 64) * size
    return float(np.linalg.norm(v + weights @ rows)) * (1.0 + 1e-14) + error


def _refuse(pieces: Pieces, direction: list[Fraction], output: int) -> NoReturn:
    """Refuse: this direction is paid more than U (exactly), or else nothing is settled."""
    square = sum((x * x for x in direction), Fraction(0))
    common = int(np.lcm.reduce([x.denominator for x in direction], dtype=object))
    a = np.array([int(x * common) for x in direction], dtype=object)
    form = pieces.exact_form(np.sign(pieces.lines @ a).astype(np.int8)) * output
    payoff = Fraction(int(form @ a), common)
    if payoff > 0 and payoff**2 > pieces.bound**2 * square:
        excess = float(payoff**2 / (pieces.bound**2 * square)) ** 0.5 - 1.0 if pieces.bound else np.inf
        unit = to_floats(a) / np.linalg.norm(to_floats(a))
        found = np.round(unit, 6).tolist()
        raise Refusal(
            f"upper: the neuron with direction {found} is paid more than the claim allows, by a factor 1 + {excess:.3g}"
        )
    raise NotSettled("upper: a cell of directions could not be settled, so that the claim is not proved")
