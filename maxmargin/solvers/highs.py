"""HiGHS' simplex for the master LP: silent, warm-started, and repeated with other settings after a stall."""

from __future__ import annotations

import highspy
import numpy as np

from ..errors import SolverError

# All HiGHS instances of a process share one scheduler and must ask for the same number of threads: ours take the
# default, as an earlier run of highspy or CVXPY does, and run the serial simplex on one of them.
OPTIONS = {
    "log_to_console": False,
    "presolve": "off",
    "solver": "simplex",
    "parallel": "off",
    "simplex_scale_strategy": 0,
    "small_matrix_value": 1e-12,
}
_DUAL, _PRIMAL = 1, 4
_TRIES = ((_DUAL, 1e-10), (_PRIMAL, 1e-10), (_DUAL, 1e-9), (_PRIMAL, 1e-7))  # strategy, feasibility tolerance
_PIVOTS = 4, 1000  # a try counts as stalled after this many pivots per column or row, and at least this many
_NEARLY = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kUnknown)  # feasible within about the tolerance
ANSWERS = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kTimeLimit, highspy.HighsModelStatus.kInterrupt)


class Simplex(highspy.Highs):
    """HiGHS that prints nothing: its constructor ends in enabling callbacks, which would print the banner."""

    def __init__(self) -> None:
        super().__init__()
        for option, setting in OPTIONS.items():
            self.setOptionValue(option, setting)

    def enableCallbacks(self) -> None:
        """Leave callbacks off and be silent: highspy calls this in `solve`."""
        self.setOptionValue("output_flag", False)

    def optimise(self, time_limit: float) -> None:
        """Run until the model is called optimal.

        After a cycle or a singular basis the model is solved again from scratch by the other simplex, because where one
        of them stalls the other usually does not, and then with looser tolerances.

        Raises
        ------
        SolverError : no try ended, or `time_limit` (seconds) has passed.
        """
        self._limit(time_limit)
        for strategy, tolerance in _TRIES:
            status = self._once(strategy, tolerance)
            if status in ANSWERS:
                break
            self.clearSolver()
        if status != highspy.HighsModelStatus.kOptimal:
            raise self._error(status)

    def nearly(self, time_limit: float) -> None:
        """Run from the last basis until the model is nearly optimal.

        Raises
        ------
        SolverError : it never was.
        """
        self._limit(time_limit)
        for strategy, tolerance in _TRIES[:2]:
            status = self._once(strategy, tolerance)
            if status in _NEARLY and self.getSolution().value_valid:
                return
        raise self._error(status)

    def _limit(self, time_limit: float) -> None:
        """Seconds and pivots of the next runs; HiGHS counts its clock over all runs of one object."""
        if np.isfinite(time_limit):
            self.setOptionValue("time_limit", self.getRunTime() + max(time_limit, 0.0))
        size = self.getNumCol() + self.getNumRow()
        self.setOptionValue("simplex_iteration_limit", _PIVOTS[0] * size + _PIVOTS[1])

    def _once(self, strategy: int, tolerance: float) -> highspy.HighsModelStatus:
        self.setOptionValue("simplex_strategy", strategy)
        self.setOptionValue("primal_feasibility_tolerance", tolerance)
        self.setOptionValue("dual_feasibility_tolerance", tolerance)
        self.run()
        return self.getModelStatus()

    def _error(self, status: highspy.HighsModelStatus) -> SolverError:
        return SolverError(f"master LP: HiGHS ended with {self.modelStatusToString(status)!r}")


def refused() -> bool:
    """Whether HiGHS solves nothing with our options, as when its scheduler has another number of threads."""
    highs = Simplex()
    highs.addVar(0.0, 1.0)
    highs.run()
    return bool(highs.getModelStatus() != highspy.HighsModelStatus.kOptimal)
