"""The tasks of figures 1 and 3: classifiers in the plane, as values on a grid.

Values are kept in units of their root mean square on the grid, so that classifiers of any scale can be compared.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..conventions import Array
from ..datasets.clusters import clusters_sample
from ..flow.network import Network
from ..flow.train import train_flow
from ..margins import max_margin

REACH = 0.6  # the square [-REACH, REACH]^2 holds all disks
_DIGITS = 5
_TOL = 1e-9


def grid(count: int) -> Array:
    """(count^2, 2) points of the square, x2 outer."""
    side = np.linspace(-REACH, REACH, count)
    return np.column_stack([np.tile(side, count), np.repeat(side, count)])


def picture(data: dict[str, Any], classifier: str, count: int, training: dict[str, Any]) -> dict[str, Any]:
    """One classifier of figure 1 on the grid: "f1", "f2" solved, "both", "output" trained."""
    points, _ = clusters_sample(**data)
    result: dict[str, Any] = {"X": points.X.tolist(), "y": points.y.tolist()}
    if classifier in ("f1", "f2"):
        certificate = max_margin(points, classifier, tol=_TOL)
        f = certificate.decision_function
        result |= {"lower": certificate.lower, "upper": certificate.upper, "scope": certificate.scope}
    else:
        run = train_flow(points.inputs(True), points.y, layers=classifier, schedule="paper", **training)
        f = run.network.decision_function
        result |= {"margin_best": run.margin_best, "margin_last": run.margin_last}
    return result | {"map": _rounded(_unit(f(grid(count))))}


def lazy(data: dict[str, Any], count: int, times: list[int], training: dict[str, Any]) -> dict[str, Any]:
    """Figure 3: from a large start with a constant step; first the tangent-kernel classifier, then the F1 one.

    The distance of two classifiers is the L2 distance of their maps, each in units of its root mean square: 0 equal,
    sqrt(2) unrelated.  The random start is not the zero function: beside f_t, as the paper draws it, what was learnt,
    f_t - f_0, is compared with the tangent-kernel classifier.
    """
    points, _ = clusters_sample(**data)
    plane = grid(count)
    solved = {"ntk": max_margin(points, "ntk", tol=_TOL, weights="gaussian"), "f1": max_margin(points, "f1", tol=_TOL)}
    limits = {name: _unit(item.decision_function(plane)) for name, item in solved.items()}
    run = train_flow(points.inputs(True), points.y, layers="both", schedule="constant", **training)
    raw = [(step, Network(hidden, output).decision_function(plane)) for step, hidden, output in run.snapshots]
    path = [(step, _unit(values)) for step, values in raw]
    chosen = [min(path, key=lambda item: abs(item[0] - time)) for time in times]
    margins = {row["step"]: row["margin"] for row in run.trace}
    return {
        "X": points.X.tolist(),
        "y": points.y.tolist(),
        "step": [step for step, _ in path],
        "margin": [margins[step] for step, _ in path],
        "to_ntk": [_distance(values, limits["ntk"]) for _, values in path],
        "learnt_to_ntk": [_distance(_unit(values - raw[0][1]), limits["ntk"]) for _, values in raw],
        "to_f1": [_distance(values, limits["f1"]) for _, values in path],
        "apart": _distance(limits["ntk"], limits["f1"]),
        "lower": solved["f1"].lower,
        "upper": solved["f1"].upper,
        "maps": [_rounded(values) for _, values in chosen],
        "times": [step for step, _ in chosen],
        "limits": {name: _rounded(values) for name, values in limits.items()},
        "status": run.status,
    }


def _unit(values: Array) -> Array:
    """In units of the root mean square."""
    return values / (float(np.sqrt(np.mean(values**2))) or 1.0)


def _distance(one: Array, other: Array) -> float:
    return float(np.sqrt(np.mean((one - other) ** 2)))


def _rounded(values: Array) -> list[float]:
    return np.round(values, _DIGITS).tolist()
