"""The margins as CVXPY programs: the readable statement, for people to extend, and the cross-check of our engines.

Both are in minimum-norm form (least norm with all margins >= 1), which keeps more digits than a largest margin.
A result is only a proposal: the games certify it. Solvers are always named: CVXPY's own choice fails on small margins.

They run in the background: some ignore Ctrl-C until they finish, SCS and OSQP replace its handler.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..conventions import Array
from ..errors import InputError
from .proposal import INTERRUPTED

if TYPE_CHECKING:
    import cvxpy


import signal
import threading
from collections.abc import Callable
from typing import TypeVar

# Accuracy asked of each solver. With their default accuracy SCS and OSQP return "optimal" on values up to 42 % off.
SOLVER_OPTIONS: dict[str, dict[str, Any]] = {
    "CLARABEL": {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12},
    "SCS": {"eps_abs": 1e-9, "eps_rel": 1e-9, "max_iters": 100_000},
    "OSQP": {"eps_abs": 1e-10, "eps_rel": 1e-10, "max_iter": 200_000, "polishing": True},
}
Result = TypeVar("Result")

_LOOK = 0.02  # seconds between two polls


def variation_program(features: Array, y: Array) -> cvxpy.Problem:
    """F1 over a dictionary: minimise |w|_1 subject to y_i sum_k w_k Phi_ki >= 1; gamma_path = 1 / optimal value.

    Parameters
    ----------
    features : (K, n) Phi_ki = sigma(a_k . z_i).
    y : (n,) labels +-1.

    Returns
    -------
    Problem with the variable ``weights`` (K,) and the constraint labelled ``margins``, whose dual values are
    proportional to the adversary p (Prop. 12).
    """
    import cvxpy as cp

    weights = cp.Variable(len(features), name="weights")
    margins = cp.multiply(y, features.T @ weights) >= 1
    return cp.Problem(cp.Minimize(cp.norm1(weights)), [margins.set_label("margins")])


def kernel_program(K: Array, y: Array) -> cvxpy.Problem:
    """F2: minimise c'Kc subject to y_i (K c)_i >= 1, no intercept; gamma_2 = 1 / sqrt(optimal value).

    Parameters
    ----------
    K : (n, n) Gram matrix.  y : (n,) labels +-1.

    Returns
    -------
    Problem with the variable ``coefficients`` (n,) and the constraint labelled ``margins``.
    """
    import cvxpy as cp

    coefficients = cp.Variable(len(y), name="coefficients")
    eigenvalues, vectors = in_background(lambda: np.linalg.eigh(K))
    root = np.sqrt(np.maximum(eigenvalues, 0.0))[:, None] * vectors.T  # root' root = K: visibly convex
    margins = cp.multiply(y, K @ coefficients) >= 1
    return cp.Problem(cp.Minimize(cp.sum_squares(root @ coefficients)), [margins.set_label("margins")])


def constraint(problem: cvxpy.Problem, label: str) -> cvxpy.Constraint:
    """The constraint of that label."""
    return next(item for item in problem.constraints if item.label == label)


class Solution(NamedTuple):
    """The result of a solver, to be certified: the variable, the dual values of ``margins`` (None without a point).

    Attributes
    ----------
    variable : its value.  dual : (n,) dual values of ``margins``.  status : as the solver reports it.
    seconds : wall time.
    """

    variable: Array | None
    dual: Array | None
    status: str
    seconds: float


def solve(problem: cvxpy.Problem, solver: str) -> Solution:
    """Solve with a named solver; its own status is kept for the record only. Ctrl-C ends it without a point.

    Raises
    ------
    InputError : the solver is not installed, or cannot solve this kind of program.
    """
    import cvxpy as cp

    name = solver.upper()
    if name not in cp.installed_solvers():
        raise InputError(f"solver: found {solver!r}, wanted auto or one of {', '.join(cp.installed_solvers()).lower()}")
    start = time.perf_counter()
    try:
        with _no_banner(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "solution may be inaccurate": our own bracket will say by how much
            in_background(lambda: problem.solve(solver=name, **SOLVER_OPTIONS.get(name, {})))
    except KeyboardInterrupt:
        return Solution(None, None, INTERRUPTED, time.perf_counter() - start)
    except cp.error.SolverError as error:
        if "cannot solve this problem" in str(error):
            raise InputError(f"solver: {solver!r} cannot solve this kind of program; use --solver auto") from error
        return Solution(None, None, f"failed: {error}", time.perf_counter() - start)
    variable, dual = problem.variables()[0].value, constraint(problem, "margins").dual_value
    if variable is None or dual is None or not (np.isfinite(variable).all() and np.isfinite(dual).all()):
        return Solution(None, None, problem.status, time.perf_counter() - start)
    return Solution(np.asarray(variable), np.maximum(dual, 0.0), problem.status, time.perf_counter() - start)


@contextmanager
def _no_banner() -> Iterator[None]:
    """Keep HiGHS's banner, which CVXPY lets through, out of standard output: JSON may be going there."""
    sys.stdout.flush()
    saved, null = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(null)


def in_background(work: Callable[[], Result]) -> Result:
    """Do `work` in a thread of its own, so that Ctrl-C reaches the caller at once, as `KeyboardInterrupt`.

    Work that is interrupted is abandoned: it ends by itself, or with the process. Outside of the main thread, which
    no signal reaches, `work` is simply done.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    handler = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_LOOK)
        if handler is not None:
            signal.signal(signal.SIGINT, handler)  # restore our handler after a solver has installed its own
    if errors:
        raise errors[0]
    return results[0]
