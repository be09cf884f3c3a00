"""Degree 1 on the whole sphere: max over unit a of |g(a)| <= U, cell by cell.

On the cell C = {a : s_k z_k.a >= 0 for all k} the payoff is v.a.  For either output sign and any lambda >= 0,

    max_{a in C, |a| = 1} v.a  <=  | v + sum_k lambda_k s_k z_k |        (each s_k z_k.a >= 0)

so a cell is settled by lambda = 0 (nearly always), by one hyperplane, or by the projection of v on C.  By duality the
projection settles every cell on which the claim is true; U is compared in floats with a rigorous bound, else exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .arrangement import Signs
from .cells import Batch, sweep
from .exact import Integers, relative_error, solve, to_floats
from .faces import all_faces_have_rays, open_faces
from .fields import Array
from .pieces import Pieces, rounded
from .verdict import Refusal


def check_linear(pieces: Pieces) -> str:
    """Prove ``|g(a)| <= U`` on the unit sphere; `Refusal` names a neuron that is paid more, or what is not proved."""
    cells = LinearCells(pieces, pieces.unit_normals, _square_error(pieces), all_faces_have_rays(pieces))
    return sweep(pieces, cells.sift, cells.settle)


@dataclass(frozen=True)
class LinearCells:
    """The argument for one cell, in floats for many at once and exactly for those that floats leave open.

    Attributes
    ----------
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
        if self.by_faces and batch.subsets.shape[1]:
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

    def settle(self, cell: Signs, output: int) -> None:
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
        square, residual = _exact_residual(exact, lines, active)
        if square > pieces.bound**2:
            raise Refusal(f"upper: {_witness(pieces, residual, output)}")


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


def project(v: Array, rows: Array) -> tuple[list[int], Array]:
    """Active set and weights lambda > 0 of min |v + rows' lambda| over lambda >= 0 (Lawson and Hanson 1974, ch. 23).

    The answer is only a proposal: the caller bounds or recomputes what it needs.
    """
    active: list[int] = []
    weights = np.zeros(0)
    tolerance = 1e-13 * float(np.linalg.norm(v))
    for _ in range(10 * rows.shape[1] + 20):
        slopes = rows @ (v + weights @ rows[active])
        slopes[active] = np.inf
        entering = int(np.argmin(slopes)) if slopes.size else -1
        if entering < 0 or slopes[entering] >= -tolerance or len(active) == rows.shape[1]:
            break
        active, weights = _step([*active, entering], np.append(weights, 0.0), v, rows)
    return active, weights


def _step(active: list[int], weights: Array, v: Array, rows: Array) -> tuple[list[int], Array]:
    """Least squares on the active rows, dropping those whose weight would turn negative on the way there."""
    while active:
        target = _least_squares(rows[active], v)
        falling = np.flatnonzero(target <= 0.0)
        if not falling.size:
            return active, target
        steps = weights[falling] / np.maximum(weights[falling] - target[falling], 1e-300)
        weights = weights + steps.min() * (target - weights)
        dropped = int(falling[np.argmin(steps)])
        active, weights = active[:dropped] + active[dropped + 1 :], np.delete(weights, dropped)
    return active, weights


def _least_squares(rows: Array, v: Array) -> Array:
    """The weights of min |v + rows' weights|; the Gram matrix is tiny, and only near-dependent rows need more care."""
    gram = rows @ rows.T
    if np.linalg.det(gram) > 1e-9:
        return np.asarray(np.linalg.solve(gram, -(rows @ v)), dtype=float)
    return np.asarray(np.linalg.lstsq(rows.T, -v, rcond=None)[0], dtype=float)


def _exact_residual(v: Integers, rows: Integers, active: list[int]) -> tuple[Fraction, list[Fraction]]:
    """Squared length and direction of v + sum lambda_k rows_k with the exact least-squares lambda, kept >= 0."""
    active = list(active)
    while active:
        gram = [[Fraction(int(rows[i] @ rows[j])) for j in active] for i in active]
        weights = solve(gram, [Fraction(-int(rows[i] @ v)) for i in active])
        if weights is not None and min(weights) >= 0:
            residual = [Fraction(int(x)) for x in v]
            for weight, i in zip(weights, active, strict=True):
                residual = [a + weight * int(b) for a, b in zip(residual, rows[i], strict=True)]
            return sum((x * x for x in residual), Fraction(0)), residual
        active.pop(-1 if weights is None else int(np.argmin([float(w) for w in weights])))
    return Fraction(int(v @ v)), [Fraction(int(x)) for x in v]


def _witness(pieces: Pieces, direction: list[Fraction], output: int) -> str:
    """Say whether this direction is paid more than U (exactly), or only that nothing is proved."""
    square = sum((x * x for x in direction), Fraction(0))
    common = int(np.lcm.reduce([x.denominator for x in direction], dtype=object))
    a = np.array([int(x * common) for x in direction], dtype=object)
    form = pieces.exact_form(np.sign(pieces.lines @ a).astype(np.int8)) * output
    payoff = Fraction(int(form @ a), common)
    if payoff > 0 and payoff**2 > pieces.bound**2 * square:
        excess = float(payoff**2 / (pieces.bound**2 * square)) ** 0.5 - 1.0 if pieces.bound else np.inf
        unit = to_floats(a) / np.linalg.norm(to_floats(a))
        found = np.round(unit, 6).tolist()
        return f"the neuron with direction {found} is paid more than the claim allows, by a factor 1 + {excess:.3g}"
    return "a cell of directions could not be settled, so that the claim is not proved"
