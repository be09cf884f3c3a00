"""Proposals for minimum-norm interpolation: column generation for F1, coordinate ascent for kernels.

F1:  min sum_k |w_k|  s.t.  |sum_k w_k sigma(a_k.z_i) - t_i| <= E_i,  neurons added while |sum_i p_i sigma(a.z_i)| > 1
F2:  min c'Kc         s.t.  |(K c)_i - t_i| <= E_i,                   maximise p.t - sum_i E_i |p_i| - p'Kp / 2
"""

from __future__ import annotations

import math
import warnings
from typing import Any, NamedTuple

import numpy as np

from ..clock import FOREVER, Clock, Patience
from ..conventions import Array
from ..errors import SolverError
from ..features.homogeneous import Feature
from ..oracles.ascent.multistart import unit
from ..oracles.selection import EXACT_DIMENSION, exact_oracle, local_oracle
from ..outcome import Attempt
from ..progress import Progress, silent
from ..targets import Values
from ..text import gap_text

_SCOUTS = 4  # random neurons per point in the first program (at least 200 in all)
_ROUNDS = 200
_COUNT = 30  # neurons added per round
_PAYS = 1e-9  # a neuron is added when its payoff exceeds 1 by more than this ...
_ROUGH = 1e-4  # ... or by more than this while the targets are not reached (the price will rise anyway)
_STUCK = 30, 0.99  # stuck: in so many rounds the excess of the best payoff over 1 did not fall to this multiple
_PATIENCE = 20, 2000  # limit on the steps of a program: a multiple of the most steps so far, plus a constant
_TOLERANCE = 1e-10  # feasibility tolerance of the linear programs
_PRICES = 1e3, 1e9, 100.0  # penalty on residuals: first value, last value, factor between two
_SWEEPS = 2000


class Found(NamedTuple):
    """An F1 proposal in the path convention: f = sum_k w_k sigma(a_k.z), and weights p (m,).

    Attributes
    ----------
    directions : (K, D) unit rows.  weights : (K,).  p : (m,) adversary.  attempt : the record of the search.
    rounds : of the search.  interrupted : ended by the time limit.
    """

    directions: Array
    weights: Array
    p: Array
    attempt: Attempt
    rounds: int
    interrupted: bool


def variation_interpolant(
    values: Values, feature: Feature, *, seed: int = 0, clock: Clock = FOREVER, progress: Progress = silent
) -> Found:
    """Column generation on the linear program, from random neurons.

    The program is elastic: residuals cost `price` per unit, which bounds |p_i|. The price
    rises while that reduces the residuals beyond the tolerance.
    """
    scale = 2.0 ** -int(np.frexp(np.abs(values.Z).max(initial=0.0))[1])
    Z, watch, rng = values.Z * scale, Clock(), np.random.default_rng(seed)
    m, D = Z.shape
    oracle: Any = exact_oracle(Z, feature) if D <= EXACT_DIMENSION else local_oracle(Z, feature, rng)
    A = unit(np.vstack([rng.standard_normal((max(200, _SCOUTS * m), D)), Z, -Z, *_kinks(Z)]))
    price, status, rounds, longest = _PRICES[0], "round limit", 0, 0
    last: Any = None
    patience = Patience(*_STUCK)
    best = 0.0, 0, np.zeros(m)  # lower end as far as the oracle sees, its round, its weights
    for rounds in range(1, _ROUNDS + 1):
        Phi = feature.evaluate(A, Z)
        try:
            solution = _program(
                Phi, values, price, (clock.left, _PATIENCE[0] * longest + _PATIENCE[1]) if last else None
            )
        except SolverError:  # neurons that are nearly equal
            if last is None:
                raise
            solution = None
        if solution is None:  # HiGHS cycles between such neurons
            status, (A, weights, p) = "time limit" if clock.expired else "stalled", last
            break
        weights, p, unmet, steps = solution
        longest = max(longest, steps)
        last = A, weights, p
        answer = oracle(p, _COUNT)
        best = max(best, (_earned(p, values) / max(1.0, float(answer.values[0])), rounds, p))
        pays = answer.values > 1.0 + (_PAYS if unmet <= _PAYS or price >= _PRICES[1] else _ROUGH)
        progress(f"round {rounds}, {_distance(float(np.abs(weights).sum()), best[0], unmet)}, {len(A)} neurons")
        if clock.expired:
            status = "time limit"
            break
        stuck = patience.over(float(answer.values[0]) - 1.0, rounds)
        if stuck or not pays.any():
            if unmet <= _PAYS or price >= _PRICES[1]:
                status = "targets not reached" if unmet > _PAYS else "stalled" if stuck else "optimal"
                break
            price = price * _PRICES[2]
            patience.renew(rounds)
            continue
        near = np.flatnonzero((weights != 0.0) | (np.abs(Phi @ p) > 0.5))
        A = np.vstack([A[near], answer.directions[pays]])
    p = p if status == "optimal" or not best[1] else best[2]
    kept = np.flatnonzero(weights) if len(weights) == len(A) else np.zeros(0, dtype=np.intp)
    kept = kept if len(kept) else np.zeros(1, dtype=np.intp)
    polished = _corrected(feature.evaluate(A[kept], Z), weights[kept], values)
    scale = scale**feature.degree
    attempt = Attempt("highs, columns", status, watch.seconds)
    return Found(A[kept], polished * scale, p * scale, attempt, rounds, status == "time limit")


def _distance(norm: float, lower: float, unmet: float) -> str:
    """How far the search is, for its progress line."""
    if unmet > _PAYS:
        return f"targets missed by {unmet:.1e}"
    return f"estimated gap {gap_text(max(norm - lower, 0.0) / norm if norm > 0.0 else 0.0)}"


def _earned(p: Array, values: Values) -> float:
    """p.t - E |p|_1: divided by the best payoff against p this is the lower end."""
    return float(p @ values.centre - np.abs(p) @ values.half)


def _kinks(Z: Array) -> list[Array]:
    """In the plane, the neurons whose kink lies at a point: they reach any values."""
    if Z.shape[1] != 2:
        return []
    across = np.column_stack([-Z[:, 1], Z[:, 0]])
    return [across, -across]


def _program(
    Phi: Array, values: Values, price: float, most: tuple[float, int] | None
) -> tuple[Array, Array, float, int] | None:
    """Weights (K,), dual p (m,), largest unmet part, relative, and steps of the program over features Phi (K, m).

    None when that takes longer than `most` (seconds, steps).
    """
    from scipy.optimize import linprog

    centre, half = values.centre, values.narrowed
    size, (K, m) = float(np.abs(centre).max(initial=0.0)) or 1.0, Phi.shape
    tight, wide = half / size + centre / size, half / size - centre / size
    columns = np.hstack([Phi.T, -Phi.T, np.eye(m), -np.eye(m)])
    options: dict[str, Any] = {"maxiter": most[1]} if most else {}
    options |= {"time_limit": most[0]} if most and math.isfinite(most[0]) else {}
    options |= {"primal_feasibility_tolerance": _TOLERANCE, "dual_feasibility_tolerance": _TOLERANCE}
    equal = half <= 0.0
    limits: dict[str, Any] = {}
    if equal.any():
        limits |= {"A_eq": columns[equal], "b_eq": centre[equal] / size}
    if not equal.all():
        limits |= {"A_ub": np.vstack([columns[~equal], -columns[~equal]]), "b_ub": np.r_[tight[~equal], wide[~equal]]}
    cost = np.r_[np.ones(2 * K), np.full(2 * m, price)]
    found = linprog(cost, **limits, method="highs", options=options)
    if found.status == 1:
        return None
    if found.x is None or found.status != 0:
        raise SolverError(f"highs: {found.message}; rescale the targets or the columns of X")
    p = np.zeros(m)
    if equal.any():
        p[equal] = found.eqlin.marginals
    if not equal.all():
        above, below = np.split(found.ineqlin.marginals, 2)
        p[~equal] = above - below
    weights = size * (found.x[:K] - found.x[K : 2 * K])
    return weights, p, float(found.x[2 * K :].max(initial=0.0)), int(found.nit)


def _corrected(Phi: Array, weights: Array, values: Values) -> Array:
    """The weights (K,) with the values that must be met exactly met to the last digits."""
    exact = values.half <= 0.0
    if not exact.any():
        return weights
    for _ in range(3):
        residual = values.centre[exact] - weights @ Phi[:, exact]
        weights = weights + np.linalg.lstsq(Phi[:, exact].T, residual, rcond=1e-12)[0]
    return weights


def kernel_interpolant(K: Array, values: Values, clock: Clock = FOREVER) -> tuple[Array, Array, Attempt, int, bool]:
    """Coefficients c (m,), weights p (m,), the attempt, rounds, and whether time ended it."""
    watch, centre, half = Clock(), values.centre, values.narrowed
    if not half.any():
        c = _solved(K, centre)
        return c, c, Attempt("linear system", "solved", watch.seconds), 1, False
    c, rounds, status = _descent(K, centre, half, clock)
    return c, c, Attempt("coordinate ascent", status, watch.seconds), rounds, status == "time limit"


def _solved(K: Array, t: Array) -> Array:
    """K c = t with two rounds of iterative refinement in extended precision."""
    from scipy.linalg import cho_factor, cho_solve

    try:
        factor = cho_factor(K)
        solve: Any = lambda r: cho_solve(factor, r)  # noqa: E731
    except np.linalg.LinAlgError:
        solve = lambda r: np.linalg.lstsq(K, r, rcond=None)[0]  # noqa: E731
    c, extended = solve(t), K.astype(np.longdouble)
    for _ in range(2):
        c = c + solve((t - extended @ c.astype(np.longdouble)).astype(float))
    return np.asarray(c)


def _descent(K: Array, centre: Array, half: Array, clock: Clock) -> tuple[Array, int, str]:
    """max c.t - half.|c| - c'Kc/2: coordinates in turn, and the active ones exactly as soon as their signs agree."""
    c = _homotopy(K, centre, half)
    f, diagonal = K @ c, np.diagonal(K)
    for sweep in range(_SWEEPS):
        if sweep % 10 == 0 and (exact := _active(K, centre, half, c)) is not None:
            return exact, sweep, "optimal"
        moved = 0.0
        for i in range(len(c)):
            wanted = centre[i] - f[i] + diagonal[i] * c[i]
            new = np.sign(wanted) * max(abs(wanted) - half[i], 0.0) / diagonal[i]
            if new != c[i]:
                moved = max(moved, abs(new - c[i]) * np.sqrt(diagonal[i]))
                f += (new - c[i]) * K[i]
                c[i] = new
        if moved <= 1e-15 * float(np.abs(centre).max()) or clock.expired:
            return c, sweep, "time limit" if clock.expired else "optimal"
    return c, _SWEEPS, "round limit"


def _homotopy(K: Array, centre: Array, half: Array) -> Array:
    """A start: the LASSO of the same Gram matrix, whose path least-angle regression follows exactly."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import lars_path_gram

    n, unit = len(centre), float(np.diagonal(K).max())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        path = lars_path_gram(
            centre, K / unit, n_samples=n, alpha_min=float(half.mean()) / n, method="lasso", max_iter=20 * n
        )
    return np.asarray(path[2][:, -1], dtype=float) / unit


def _active(K: Array, centre: Array, half: Array, c: Array) -> Array | None:
    """The solution whose active set and signs are those of c, if it is one."""
    active = np.flatnonzero(c)
    signs = np.sign(c[active])
    out = np.zeros(len(c))
    if len(active):
        out[active] = _solved(K[np.ix_(active, active)], centre[active] - signs * half[active])
    inside = np.abs(K @ out - centre) <= half * (1.0 + 1e-12) + 1e-13 * np.abs(centre).max()
    return out if (np.sign(out[active]) == signs).all() and inside.all() else None
