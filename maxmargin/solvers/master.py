"""The restricted master: the dual LP of F1 over the neurons found so far, kept warm in HiGHS.

    minimise t   subject to   p . h_k <= t  for every column k,   p >= 0,  sum_i p_i = 1

where ``h_k = s_k y phi(a_k, .)`` (n,) is what neuron k with output sign s_k contributes to the n margins.
Its row duals are the weights of the best margin over these columns (Prop. 12, restricted).
"""

from __future__ import annotations

from typing import NamedTuple

import highspy
import numpy as np
from numpy.typing import NDArray

from ..errors import SolverError
from ..games.soft import worst_mean

Array = NDArray[np.float64]

_OPTIONS = {
    "log_to_console": False,
    "presolve": "off",
    "solver": "simplex",
    "simplex_strategy": 1,
    "threads": 1,
    "simplex_scale_strategy": 0,
}
_TOLERANCES = (1e-10, 1e-9, 1e-7)
_ANSWERS = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kTimeLimit, highspy.HighsModelStatus.kInterrupt)


class _Quiet(highspy.Highs):
    """HiGHS that prints nothing: its constructor ends in enabling callbacks, which would print the banner."""

    def enableCallbacks(self) -> None:
        self.setOptionValue("output_flag", False)


class MasterSolution(NamedTuple):
    """Proposals of the restricted game: p (n,) on the simplex, weights (K,) >= 0 of the columns, sum one.

    ``value = max_k p . h_k`` and ``margin = min_i sum_k weights_k h_ki`` (or its soft version) are evaluated here,
    not reported by HiGHS.
    """

    p: Array
    weights: Array
    value: float
    margin: float


class Master:
    """The dual LP with rows added as neurons are found; a re-solve starts from the last basis.

    Parameters
    ----------
    n : number of points.
    cap : largest weight of the adversary on one point; 1/(nu n) makes the margins soft (`games.soft`).

    Notes
    -----
    One row a *signed* neuron: of the two signs of a symmetric neuron the oracle names the violated one, and a
    second row for the other sign is hardly ever active.  HiGHS has absolute tolerances and drops entries below
    1e-9, so it sees the columns divided by the current margin, and the model is passed again (with its basis)
    whenever that unit has changed by more than `rescale`.
    """

    rescale, noise = 8.0, 1e-6

    def __init__(self, n: int, cap: float = 1.0) -> None:
        self.n, self.cap = n, cap
        self._columns = np.empty((64, n))
        self.size = 0
        self._unit = 0.0
        self._highs = _Quiet()
        for option, setting in _OPTIONS.items():
            self._highs.setOptionValue(option, setting)

    @property
    def columns(self) -> Array:
        """The columns h_k so far, (K, n), a view."""
        return self._columns[: self.size]

    def add(self, columns: Array) -> None:
        """Add columns ``h_k = s_k y phi(a_k, .)``, shape (K, n)."""
        K = len(columns)
        if self.size + K > len(self._columns):
            grown = np.empty((max(2 * len(self._columns), self.size + K), self.n))
            grown[: self.size] = self.columns
            self._columns = grown
        self._columns[self.size : self.size + K] = columns
        self.size += K
        if self._unit:
            self._append(columns)

    def solve(self, time_limit: float = np.inf) -> MasterSolution:
        """Solve the restricted game.

        Raises
        ------
        SolverError : no columns yet, or HiGHS returned no usable point (its own time limit included).
        """
        if not self.size:
            raise SolverError("master LP: no columns to solve over; add at least one neuron first")
        if not self._unit:
            self._pass(float(np.abs(self.columns).max()) or 1.0)
        solution = self._run(time_limit)
        # A margin that is rounding noise in the present unit says nothing about the next one.
        significant = solution.margin > self.noise * self._unit
        if significant and not 1 / self.rescale < self._unit / solution.margin < self.rescale:
            self._pass(solution.margin)
            solution = self._run(time_limit)
        return solution

    def shrink(self, kept: NDArray[np.intp]) -> None:
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
        lower, upper, cost = np.zeros(n + 1), np.full(n + 1, self.cap), np.zeros(n + 1)
        lower[n], upper[n], cost[n] = -highspy.kHighsInf, highspy.kHighsInf, 1.0
        empty = np.empty(0, np.int32)
        highs.addCols(n + 1, cost, lower, upper, 0, empty, empty, np.empty(0))
        highs.addRow(1.0, 1.0, n, np.arange(n, dtype=np.int32), np.ones(n))
        self._append(self.columns)
        if basis is not None:
            highs.setBasis(basis)

    def _append(self, columns: Array) -> None:
        K, n = columns.shape
        values = np.empty((K, n + 1))
        np.divide(columns, self._unit, out=values[:, :n])
        values[:, n] = -1.0
        starts = np.arange(0, K * (n + 1), n + 1, dtype=np.int32)
        indices = np.tile(np.arange(n + 1, dtype=np.int32), K)
        lower, upper = np.full(K, -highspy.kHighsInf), np.zeros(K)
        self._highs.addRows(K, lower, upper, values.size, starts, indices, values.ravel())

    def _run(self, time_limit: float) -> MasterSolution:
        highs = self._highs
        if np.isfinite(time_limit):
            # HiGHS counts its clock over all runs of one object.
            highs.setOptionValue("time_limit", highs.getRunTime() + max(time_limit, 0.0))
        highs.setOptionValue("simplex_iteration_limit", 20 * (self.n + self.size) + 2000)
        for tolerance in _TOLERANCES:
            highs.setOptionValue("primal_feasibility_tolerance", tolerance)
            highs.setOptionValue("dual_feasibility_tolerance", tolerance)
            highs.run()
            if highs.getModelStatus() in _ANSWERS:
                break
            # A cycle or a singular basis is no reason to give up: from scratch, less tightly.
            highs.clearSolver()
        point = highs.getSolution()
        p = np.maximum(np.asarray(point.col_value)[: self.n], 0.0)
        weights = np.maximum(-np.asarray(point.row_dual)[1:], 0.0)
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal or not (p.sum() > 0 and weights.sum() > 0):
            raise SolverError(f"master LP: HiGHS ended with {highs.modelStatusToString(highs.getModelStatus())!r}")
        return evaluate(self.columns, p / p.sum(), weights / weights.sum(), self.cap)


def evaluate(columns: Array, p: Array, weights: Array, cap: float = 1.0) -> MasterSolution:
    """The pair with its value and (soft, when capped) margin over these columns."""
    return MasterSolution(p, weights, float((columns @ p).max()), worst_mean(weights @ columns, cap))
