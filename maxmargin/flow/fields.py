"""The flow dS/dt = field(S) of any small field, S an array of any shape: solved, up to a goal, and in Euler's steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..conventions import Array


def flow(field: Callable[[Array], Array], start: Array, times: Array, **options: Any) -> Array:
    """The solution with S(0) = start at these times, shape (T, *start.shape).

    `options` are those of `scipy.integrate.solve_ivp`, which computes it; by default DOP853, rtol 1e-11, atol 1e-13.
    """
    from scipy.integrate import solve_ivp

    options = {"method": "DOP853", "rtol": 1e-11, "atol": 1e-13, "t_eval": times, **options}
    path = solve_ivp(lambda _, S: field(S.reshape(start.shape)).ravel(), (0.0, times[-1]), start.ravel(), **options)
    return path.y.T.reshape(-1, *start.shape)


def flow_until(field: Callable[[Array], Array], start: Array, size: Callable[[Array], float], **options: Any) -> Array:
    """The state where ``size`` has come down to 1e-10 (or time 1e6 is over)."""

    def left(_: float, state: Array) -> float:
        return size(state.reshape(start.shape)) - 1e-10

    left.terminal = True  # type: ignore[attr-defined]
    return flow(field, start, np.array([1e6]), events=left, t_eval=None, **options)[-1]


def descend(field: Callable[[Array], Array], start: Array, step: float, time: float) -> Array:
    """The state at this time of the steps S <- S + step field(S)."""
    for _ in range(round(time / step)):
        start = start + step * field(start)
    return start
