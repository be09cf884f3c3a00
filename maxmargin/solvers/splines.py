"""F1 in D = 2: the outputs of a network are a spline on the circle, and its LP is sparse.

With ``sigma(u) = a u + b |u|``, a = (right - left)/2 and b = (right + left)/2, the output of neurons a_k, |a_k| = 1, is

    f(z) = c.z + |z| E(psi),   c = a sum_k w_k a_k,   E'' + E = 2 b sum_k w_k delta(psi - psi_k),

where psi in [0, pi) is the angle of the line through z and psi_k that of the line on which neuron k vanishes.  Let
u_1..u_m be the unit vectors of the data's lines, in the order of their angles, and h_j the angle from u_j to u_{j+1}
(from u_m to -u_1).  On an arc without a neuron E is a sinusoid, given by its values at both ends.  A neuron between
u_j and u_{j+1} is on all the data what alpha of it on u_j and beta on u_{j+1} are, alpha = sin(psi_{j+1} - psi_k)/sin
h_j and beta = sin(psi_k - psi_j)/sin h_j, and no neuron counts but through

    2 b S_j = E_{j+1}/sin h_j + E_{j-1}/sin h_{j-1} - E_j (cot h_j + cot h_{j-1}),   S_j = sum_k alpha_kj w_k.

So the least total variation with y_i f(z_i) >= 1 is an LP with three entries a row where neurons times points have n:

    minimise sum_k |w_k|   subject to   S_j as above,   c as above,   y_i (E_{j(i)} + c.z_i/|z_i|) >= 1/|z_i|.

The values E are of one size; in the columns of the game, points with opposite labels side by side (margins of 1e-8)
are differences of nearly equal numbers.  The first columns are the neurons on the data's lines; best responses of all
neurons are added until none pays more.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from numpy.typing import NDArray

from ..conventions import Array, Indices
from ..errors import SolverError
from ..features.homogeneous import Feature
from ..games.measure import Measure
from .highs import Simplex

Extended = NDArray[np.longdouble]

_SAME = 1e-12  # lines that are this near to each other (radians) are one
_STEPS = 3  # of iterative refinement


@dataclass(frozen=True)
class Lines:
    """The lines through the data, in the order of their angles.

    Attributes
    ----------
    U : (m, 2) upward unit vectors, extended.  line : (n,) the line of every point.  radii : (n,) the norms |z_i|.
    angles : (m,) in [0, pi).  sines, cotangents : (m,) of h_j, the last one to -u_1.
    """

    U: Extended
    line: Indices
    radii: Array
    angles: Extended
    sines: Extended
    cotangents: Extended

    @classmethod
    def of(cls, Z: Array) -> Lines | None:
        """The lines; None where a point is zero or all are on one line."""
        radii = np.hypot(*Z.T)
        if not (radii > 0.0).all():
            return None
        V = _upward(Z.astype(np.longdouble))
        V /= np.sqrt((V * V).sum(axis=1))[:, None]
        angles = np.arctan2(V[:, 1], V[:, 0])
        order = np.argsort(angles, kind="stable")
        new = np.append(True, np.diff(angles[order]) > _SAME)
        line = np.empty(len(Z), dtype=np.intp)
        line[order] = np.cumsum(new) - 1
        U, angles = V[order[new]], angles[order[new]]
        if len(U) < 2 or angles[0] + np.pi - angles[-1] <= _SAME:
            return None
        following = np.concatenate([U[1:], -U[:1]])
        sines = _cross(U, following)
        return cls(U, line, radii, angles, sines, (U * following).sum(axis=1) / sines)

    def split(self, directions: Array) -> tuple[Indices, Extended]:
        """The arc j (K,) in which each neuron vanishes, and its (alpha, beta) on the ends of the arc, (K, 2)."""
        A = directions.astype(np.longdouble)
        V = _upward(np.stack([-A[:, 1], A[:, 0]], axis=1))
        m, arc = len(self.U), np.searchsorted(self.angles, np.arctan2(V[:, 1], V[:, 0]), side="right") - 1
        V[arc < 0] *= -1.0  # before the first line is behind the last
        arc %= m
        end = np.where((arc == m - 1)[:, None], -1.0, 1.0) * self.U[(arc + 1) % m]
        shares = np.stack([_cross(V, end), _cross(self.U[arc], V)], axis=1) / self.sines[arc, None]
        return arc, np.maximum(shares, 0.0)


class SplineLP:
    """The LP in HiGHS: rows for the kinks, for c and for the points; columns E, c and the neurons.

    A row of kinks is multiplied by the smaller sine of its two arcs, which makes its entries one at most, and the
    weight of a neuron by those sines again, so that costs differ instead.

    Parameters
    ----------
    Z : (n, 2) what the activation sees.  y : (n,) labels +-1.  feature : of degree 1.  lines : of Z.
    """

    def __init__(self, Z: Array, y: Array, feature: Feature, lines: Lines) -> None:
        self.lines, self._even = lines, 0.5 * (feature.right + feature.left)
        self._odd = 0.5 * (feature.right - feature.left)
        self._needed = lines.radii.max() / lines.radii  # right sides of the points' rows
        self._row = np.minimum(lines.sines, np.roll(lines.sines, 1)).astype(float)
        self.directions, self.signs = np.empty((0, 2)), np.empty(0)
        self._units, self._cost = np.empty(0), np.zeros(len(self._row) + 2)
        self._entries = self._known(Z, y)
        self._highs = Simplex()
        self._pass()
        on_lines = np.stack([-lines.U[:, 1], lines.U[:, 0]], axis=1).astype(float)
        both = np.concatenate([on_lines, -on_lines])
        self.add(np.concatenate([both, both]), np.repeat([1.0, -1.0], len(both)))

    def add(self, directions: Array, signs: Array) -> None:
        """Add neurons: unit directions (K, 2) and the signs (K,) of their weights."""
        K, m, size = len(signs), len(self._row), len(self._cost)
        arc, shares = self.lines.split(directions)
        ends = np.stack([arc, (arc + 1) % m], axis=1)
        seen = shares * self._row[ends]
        units = seen.max(axis=1)
        kinks = -2.0 * self._even * signs[:, None] * seen
        sums = self._odd * signs[:, None] * directions
        values = np.concatenate([kinks, sums], axis=1) / units[:, None]
        rows = np.concatenate([ends, np.tile([m, m + 1], (K, 1))], axis=1)
        cost = float(self._row.max()) / units.astype(float)
        starts, free = np.arange(0, 4 * K, 4, dtype=np.int32), np.full(K, highspy.kHighsInf)
        floats = rows.astype(np.int32).ravel(), values.astype(float).ravel()
        self._highs.addCols(K, cost, np.zeros(K), free, 4 * K, starts, *floats)
        self._entries = self._entries.joined(Entries(rows.ravel(), np.arange(size, size + K).repeat(4), values.ravel()))
        self.directions, self.signs = np.concatenate([self.directions, directions]), np.append(self.signs, signs)
        self._units, self._cost = np.append(self._units, units.astype(float)), np.append(self._cost, cost)

    def solve(self, time_limit: float, warm: bool = False) -> tuple[Measure, Array, float]:
        """The best measure over the neurons so far, of total variation one, the adversary p (n,), and their value.

        Parameters
        ----------
        time_limit : seconds.  warm : from the last basis; few points are faster so, but the last digits may be lost.

        Raises
        ------
        SolverError : HiGHS has no answer; also where no classifier of these neurons separates the points.
        """
        if not warm:  # from a basis of neurons side by side each pivot may take milliseconds
            self._highs.clearSolver()
        self._highs.optimise(time_limit)
        x, duals = self._vertex()
        before = len(self._row) + 2
        weights = np.maximum(x[before:], 0.0) / self._units
        p = np.maximum(duals[before:], 0.0) * self._needed
        used = np.flatnonzero(weights)
        if not (len(used) and p.any()):
            raise SolverError("spline LP: HiGHS returned a point without an adversary or without a learner")
        total = float(weights.sum())
        value = float(self.lines.radii.max()) / total
        return Measure(self.directions[used], (self.signs * weights)[used] / total), p / p.sum(), value

    def _vertex(self) -> tuple[Array, Array]:
        """Columns and row duals of the last basis, by iterative refinement with extended residuals; else HiGHS' own."""
        basis, point, basic = self._highs.getBasis(), self._highs.getSolution(), highspy.HighsBasisStatus.kBasic
        x, duals = np.asarray(point.col_value), np.asarray(point.row_dual)
        columns = np.flatnonzero([status == basic for status in basis.col_status])
        rows = np.flatnonzero([status != basic for status in basis.row_status])
        if len(rows) != len(columns):
            return x, duals
        part = self._entries.part(rows, columns)
        try:
            solver = scipy.sparse.linalg.splu(part.matrix(len(rows)).tocsc())
        except RuntimeError:  # singular
            return x, duals
        right = np.append(np.zeros(len(self._row) + 2), self._needed)[rows]
        x_basic, y_tight = x[columns].astype(np.longdouble), duals[rows].astype(np.longdouble)
        for _ in range(_STEPS):
            x_basic = x_basic + solver.solve((right - part.times(x_basic)).astype(float))
            y_tight = y_tight + solver.solve((self._cost[columns] - part.transposed.times(y_tight)).astype(float), "T")
        x, duals = np.zeros(len(x)), np.zeros(len(duals))
        x[columns], duals[rows] = x_basic, y_tight
        return x, duals

    def _known(self, Z: Array, y: Array) -> Entries:
        """What does not depend on the neurons: the columns E_1..E_m and c."""
        lines, m, i = self.lines, len(self._row), np.arange(len(y))
        j, sums = np.arange(m), np.array([m, m + 1])
        before = np.roll(j, 1)
        turn = lines.cotangents + lines.cotangents[before]
        kinks = [self._row * values for values in (1.0 / lines.sines, 1.0 / lines.sines[before], -turn)]
        X = Z.T.astype(np.longdouble)
        points = np.concatenate([y[None], y * X / np.hypot(*X)])
        rows = [j, j, j, sums, *np.tile(m + 2 + i, (3, 1))]
        columns = [np.roll(j, -1), before, j, sums, lines.line, *np.repeat(sums[:, None], len(y), axis=1)]
        values = [*kinks, -np.ones(2), *points]
        return Entries(np.concatenate(rows), np.concatenate(columns), np.concatenate(values))

    def _pass(self) -> None:
        """The rows, with these columns."""
        m, n, inf = len(self._row), len(self._needed), highspy.kHighsInf
        matrix = self._entries.matrix(m + 2 + n, m + 2).tocsc()
        lp = highspy.HighsLp()
        lp.num_row_, lp.num_col_ = matrix.shape
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = np.zeros(m + 2), np.full(m + 2, -inf), np.full(m + 2, inf)
        lp.row_lower_ = np.append(np.zeros(m + 2), self._needed)
        lp.row_upper_ = np.append(np.zeros(m + 2), np.full(n, inf))
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
        self._highs.passModel(lp)


@dataclass(frozen=True)
class Entries:
    """The entries of a sparse matrix, in extended precision.

    Attributes
    ----------
    rows, columns : (N,) places.  values : (N,) what stands there; equal places add up.
    """

    rows: Indices
    columns: Indices
    values: Extended

    @property
    def transposed(self) -> Entries:
        """The same with rows and columns exchanged."""
        return Entries(self.columns, self.rows, self.values)

    def joined(self, more: Entries) -> Entries:
        """These entries and more."""
        pairs = zip(vars(self).values(), vars(more).values(), strict=True)
        return Entries(*(np.concatenate(pair) for pair in pairs))

    def part(self, rows: Indices, columns: Indices) -> Entries:
        """The submatrix, numbered anew."""
        i, j = _renumbered(self.rows, rows), _renumbered(self.columns, columns)
        inside = (i >= 0) & (j >= 0)
        return Entries(i[inside], j[inside], self.values[inside])

    def matrix(self, m: int, n: int | None = None) -> scipy.sparse.coo_array:
        """In float64, (m, n)."""
        return scipy.sparse.coo_array((self.values.astype(float), (self.rows, self.columns)), shape=(m, n or m))

    def times(self, x: Extended) -> Extended:
        """The product with x, for a square matrix."""
        out = np.zeros(len(x), np.longdouble)
        np.add.at(out, self.rows, self.values * x[self.columns])
        return out


def _renumbered(places: Indices, kept: Indices) -> Indices:
    """The number of each place among those kept, -1 of the others."""
    number = np.full(int(max(places.max(), kept.max())) + 1, -1)
    number[kept] = np.arange(len(kept))
    return number[places]


def _upward(V: Extended) -> Extended:
    """V or -V, row by row, with an angle in [0, pi)."""
    down = (V[:, 1] < 0.0) | ((V[:, 1] == 0.0) & (V[:, 0] < 0.0))
    return np.where(down[:, None], -V, V)


def _cross(V: Extended, W: Extended) -> Extended:
    """The sine of the angle from v to w, for nearly unit rows; of small angles, too, all digits."""
    return np.asarray(V[:, 0] * (W[:, 1] - V[:, 1]) - V[:, 1] * (W[:, 0] - V[:, 0]))
