"""The restricted master: the dual LP of F1 over the neurons found so far, kept warm in HiGHS.

    minimise t   subject to   p . h_k <= t  for every column k,   p >= 0,  sum_i p_i = 1

where ``h_k = s_k y phi(a_k, .)`` (n,) is what neuron k with output sign s_k contributes to the n margins.
Its row duals are the weights of the best margin over these columns (Prop. 12, restricted).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import highspy
import numpy as np

from ..conventions import Array, Indices, Mask
from ..errors import SolverError
from ..games.soft import worst_mean
from .highs import ANSWERS, Simplex, refused
from .lp_refinement import Corrections, GameLP, MasterSolution, Refined, better, exactly, roomy

_UNITS = 6  # how often the LP may be rescaled to find a positive margin
_ZERO = 1e-17  # smallest unit of the LP, relative to its largest entry
_CROWD = (1, 800, 3)  # limit on columns: per point, at least, and per active one; beyond it the worse half is dropped
_SEEN = 2.0**36  # largest factor by which a row is scaled down: HiGHS drops smaller coefficients of T


class Master:
    """The dual LP with rows added as neurons are found; a re-solve starts from the last basis.

    Parameters
    ----------
    n : number of points.
    cap : largest weight of the adversary on one point; 1/(nu n) makes the margins soft (`games.soft`).
    sizes : (n,) the largest payoff of a neuron on each point, |z_i|^degree; all equal by default.

    Notes
    -----
    One row per *signed* neuron: of the two signs of a symmetric neuron the oracle names the violated one, and a
    second row for the other sign is hardly ever active.  HiGHS has absolute tolerances and drops small entries, so it
    sees the columns divided by the current margin, and the model is passed again (with its basis) whenever that unit
    has changed by more than `rescale`.  Points much larger than others (e_i < 1), and rows with entries far above the
    margin (r_k > unit), are scaled down, by powers of two:

        minimise T,   sum_i e_i P_i = 1,   sum_i (e_i h_ki / r_k) P_i <= (unit / r_k) T,   p = e P,   t = unit T.
    """

    rescale, noise = 8.0, 1e-7
    box = 2.0**20  # largest enlarged correction of a weight: without it, rounding makes the LP unbounded
    bucket, largest = 4, 2.0**14  # binary digits by which the sizes of points may differ; entries of a row

    def __init__(self, n: int, cap: float = 1.0, sizes: Array | None = None) -> None:
        self.n, self.cap = n, cap
        self._before = n  # points before T among the variables of the model; those that come later stand behind it
        self._columns, self._rows = np.empty((64, n)), np.empty(64)
        self.size = 0
        self._unit = self._peak = 0.0
        sizes = np.ones(n) if sizes is None else sizes
        self._least = float(sizes.min(initial=np.inf, where=sizes > 0.0))
        self._points = _shrinking(sizes, self._least, self.bucket)
        self._highs = Simplex()

    @property
    def columns(self) -> Array:
        """The columns h_k so far, (K, n), a view."""
        return self._columns[: self.size]

    def add(self, columns: Array) -> None:
        """Add columns ``h_k = s_k y phi(a_k, .)``, shape (K, n)."""
        K = len(columns)
        self._columns, self._rows = (roomy(store, self.size, K) for store in (self._columns, self._rows))
        self._columns[self.size : self.size + K] = columns
        self.size += K
        if self._unit and np.abs(columns).max(initial=0.0) > self.largest * _SEEN * self._unit:
            self._unit = 0.0  # what was known before is nothing beside these: `solve` begins anew, in their unit
        if self._unit:
            self._append(self.size - K)

    def solve(self, time_limit: float = np.inf, enough: float = 0.0) -> MasterSolution:
        """Solve the restricted game; to the last, whatever is `enough` for a `SiftedMaster`.

        Raises
        ------
        SolverError : no columns yet, or HiGHS returned no usable point (its own time limit included).
        """
        if not self.size:
            raise SolverError("master LP: no columns to solve over; add at least one neuron first")
        if not self._unit:
            self._peak = float(np.abs(self.columns * self._points).max()) or 1.0
            self._pass(self._peak)
        try:
            solution = self._run(time_limit)
        except SolverError:
            if self._unit == self._peak:
                raise
            solution = self._restart(time_limit)
        return self._in_unit(solution, time_limit, lambda found: found.margin)

    def _in_unit(
        self, solution: MasterSolution, time_limit: float, known: Callable[[MasterSolution], float]
    ) -> MasterSolution:
        """Solve again while the unit is far from the margin, as far as that is `known`."""
        for _ in range(_UNITS):
            before = self._unit
            # A value at the level of rounding in the present unit shows only that the margin is smaller.
            unit = max(known(solution), self.noise * before, _ZERO * self._peak)
            if solution.value > self.rescale * before and solution.margin < 0.5 * solution.value:
                unit = solution.value
            elif known(solution) <= 0.0 or 1 / self.rescale < before / unit < self.rescale:
                break
            self._pass(unit)
            try:
                solution = self._run(time_limit)
            except SolverError:
                return self._restart(time_limit)
        return solution

    def _restart(self, time_limit: float) -> MasterSolution:
        """Solve in the unit of the data: in the unit of a nearly zero margin the LP may be unsolvable."""
        self._highs, self._unit = Simplex(), 0.0
        self._pass(self._peak)
        return self._run(time_limit)

    def refine(self, solution: MasterSolution, columns: Any = None, time_limit: float = np.inf) -> MasterSolution:
        """What `solve` returned, with the digits that HiGHS' tolerances left open; each side only where it gains.

        Parameters
        ----------
        columns : (K, n) the columns in extended precision, if there are any better than those added.
        """
        if not self._highs.getSolution().value_valid:  # after `shrink`
            self._highs.optimise(time_limit)
        if solution.margin < self.noise * self._unit:  # no digit is known: the value is at least an upper end
            solution = self._in_unit(solution, time_limit, lambda found: max(found.margin, found.value))
        columns = (self.columns if columns is None else columns).astype(np.longdouble)
        rows = self._rows[: self.size]
        lp = GameLP(columns * self._points / rows[:, None], self._points, self._unit / rows)
        solution = exactly(columns, solution.p, solution.weights)
        refined = Refined.of(lp, self._point())
        pairs = []
        with suppress(SolverError):  # the last pair is good all the same
            for scale in refined.scales():
                refined = refined.corrected(scale, self._correct(refined.corrections(scale), time_limit))
                pairs.append(refined.pair)
        with suppress(np.linalg.LinAlgError):
            pairs.append(refined.equalised().pair)
        for P, multipliers in pairs:
            solution = better(columns, solution, P * self._points, multipliers / rows)
        self._set((np.zeros(self.n), 1.0), (np.zeros(self.n), self._largest), 1.0, np.zeros(self.size))
        return solution

    def widen(self, columns: Array, sizes: Array) -> None:
        """Add m points: what the columns so far are on them, (K, m), and their `sizes` (m,)."""
        first, m = self.n, len(sizes)
        self._points = np.append(self._points, _shrinking(sizes, self._least, self.bucket))
        grown = np.empty((len(self._columns), first + m))
        grown[: self.size, :first], grown[: self.size, first:] = self.columns, columns
        self._columns, self.n = grown, first + m
        if not self._unit:
            return
        entries = np.vstack([np.ones(m), columns / self._rows[: self.size, None]]) * self._points[first:]
        rows = np.tile(np.arange(self.size + 1, dtype=np.int32), m)
        starts = np.arange(0, entries.size, self.size + 1, dtype=np.int32)
        largest = self._largest[first:]
        self._highs.addCols(m, np.zeros(m), np.zeros(m), largest, entries.size, starts, rows, entries.T.ravel())

    def narrow(self, kept: Mask) -> Mask:
        """Forget the points outside of the mask `kept` but those in the basis; the mask of those that are left."""
        basis = self._highs.getBasis()
        status, basic = list(basis.col_status), highspy.HighsBasisStatus.kBasic
        kept = kept | np.array([state == basic for state in status[: self._before] + status[self._before + 1 :]])
        stay = np.insert(kept, self._before, True)
        basis.col_status = [state for state, keep in zip(status, stay, strict=True) if keep]
        self._before = int(kept[: self._before].sum())
        self._columns, self._points, self.n = self._columns[:, kept], self._points[kept], int(kept.sum())
        self._pass(self._unit, basis)
        return kept

    def relieve(self, solution: MasterSolution) -> Indices | None:
        """Forget the columns that pay least when there are too many; the indices of the others, or None."""
        kept = self.crowded(solution)
        if kept is not None:
            self.shrink(kept)
        return kept

    def crowded(self, solution: MasterSolution) -> Indices | None:
        """The indices of the columns that pay most when there are too many, or None."""
        crowd = max(_CROWD[0] * self.n, _CROWD[1], _CROWD[2] * int(np.count_nonzero(solution.weights)))
        if self.size <= crowd:
            return None
        return np.sort(np.argsort(-(self.columns @ solution.p), kind="stable")[: crowd // 2])

    def shrink(self, kept: Indices) -> None:
        """Forget all columns but those with the indices `kept`, which must include the active ones."""
        basis = self._highs.getBasis()
        status = list(basis.row_status)
        basis.row_status = status[:1] + [status[1 + k] for k in kept]
        self._columns[: len(kept)] = self._columns[kept]
        self.size = len(kept)
        self._pass(self._unit, basis)

    def _pass(self, unit: float, basis: highspy.HighsBasis | None = None) -> None:
        """Pass the whole model in this unit, keeping the basis."""
        highs, n = self._highs, self.n
        if basis is None and self._unit:
            basis = highs.getBasis()
        self._unit = unit
        highs.clearModel()
        lower, cost, T = np.zeros(n + 1), np.zeros(n + 1), self._before
        lower[T], cost[T], upper = -highspy.kHighsInf, 1.0, np.insert(self._largest, T, highspy.kHighsInf)
        empty = np.empty(0, np.int32)
        highs.addCols(n + 1, cost, lower, upper, 0, empty, empty, np.empty(0))
        highs.addRow(1.0, 1.0, n, np.delete(np.arange(n + 1, dtype=np.int32), T), self._points)
        self._append(0)
        if basis is not None and basis.valid:
            highs.setBasis(basis)

    @property
    def _largest(self) -> Array:
        """Upper ends of P."""
        return np.full(self.n, highspy.kHighsInf) if self.cap >= 1.0 else self.cap / self._points

    def _append(self, first: int) -> None:
        """Add the rows of the columns from `first` on."""
        columns = self._columns[first : self.size]
        K, n = columns.shape
        values = np.insert(columns * self._points, self._before, 0.0, axis=1)
        peak = np.abs(values).max(axis=1, initial=0.0) / (self.largest * self._unit)
        rows = self._unit * np.exp2(np.ceil(np.log2(np.clip(peak, 1.0, _SEEN))))
        values /= rows[:, None]
        values[:, self._before] = -self._unit / rows
        self._rows[first : self.size] = rows
        starts = np.arange(0, K * (n + 1), n + 1, dtype=np.int32)
        indices = np.tile(np.arange(n + 1, dtype=np.int32), K)
        lower, upper = np.full(K, -highspy.kHighsInf), np.zeros(K)
        status = self._highs.addRows(K, lower, upper, values.size, starts, indices, values.ravel())
        if status == highspy.HighsStatus.kError:
            raise SolverError(f"master LP: HiGHS takes no rows with entries up to {np.abs(values).max():.1e}")

    def _set(self, cost: tuple[Array, float], bounds: tuple[Array, Array], total: float, upper: Array) -> None:
        """Costs of P and T, lower and upper ends of P, its sum, and the right sides of the rows."""
        highs, n, inf = self._highs, self.n, highspy.kHighsInf
        points, rows = np.arange(n + 1, dtype=np.int32), np.arange(self.size + 1, dtype=np.int32)
        highs.changeColsCost(n + 1, points, np.insert(cost[0], self._before, cost[1]))
        lower, above = bounds
        lower, above = (np.insert(ends, self._before, end) for ends, end in ((lower, -inf), (above, inf)))
        highs.changeColsBounds(n + 1, points, lower, above)
        low = np.append(total, np.full(self.size, -inf))
        highs.changeRowsBounds(self.size + 1, rows, low, np.append(total, upper))

    def _correct(self, lp: Corrections, time_limit: float) -> tuple[Array, Array]:
        """A solution of the LP of corrections; one that HiGHS calls nearly optimal corrects nearly as much."""
        self._set(lp.cost, (lp.lower, np.minimum(self._largest, self.box)), lp.total, lp.upper)
        self._highs.nearly(time_limit)
        return self._point()

    def _point(self) -> tuple[Array, Array]:
        """(P, T) and the row duals, as HiGHS has them."""
        point = self._highs.getSolution()
        x, T = np.asarray(point.col_value), self._before
        return np.append(np.delete(x, T), x[T]), np.asarray(point.row_dual)

    def _run(self, time_limit: float) -> MasterSolution:
        try:
            self._highs.optimise(time_limit)
        except SolverError:
            if self._highs.getModelStatus() in ANSWERS:  # no time
                raise
            # HiGHS may not recover: start a new instance without a basis.
            if refused():
                highspy.Highs.resetGlobalScheduler(True)
            self._highs, unit, self._unit = Simplex(), self._unit, 0.0
            self._pass(unit)
            self._highs.optimise(time_limit)
        x, dual = self._point()
        p = np.maximum(x[: self.n], 0.0) * self._points
        weights = np.maximum(-dual[1:], 0.0) / self._rows[: self.size] * self._unit
        if not (p.sum() > 0 and weights.sum() > 0):
            raise SolverError("master LP: HiGHS returned a point without an adversary or without a learner")
        return evaluate(self.columns, p / p.sum(), weights / weights.sum(), self.cap)


def _shrinking(sizes: Array, least: float, bucket: int) -> Array:
    """Powers of 2**bucket, at most one, that bring all points half of the way to the size `least`.

    The other half is left to the rows: a large point gets a small weight from the adversary *and* from the learner.
    """
    if not np.isfinite(least):
        return np.ones(len(sizes))
    digits = np.log2(np.maximum(sizes, least) / least)
    return np.asarray(np.exp2(-bucket * np.round(0.5 * digits / bucket)))


def evaluate(columns: Array, p: Array, weights: Array, cap: float = 1.0) -> MasterSolution:
    """The pair with its value and (if capped: soft) margin over these columns."""
    outputs = weights @ columns
    margin = worst_mean(outputs, cap) if cap < 1.0 else float(outputs.min())
    return MasterSolution(p, weights, float((columns @ p).max()), margin)
