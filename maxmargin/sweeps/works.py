"""The tasks of the figures and of the rates: pure functions of plain parameters.

`data` are the options of `datasets.clusters.clusters_sample`. Test errors are P(y f(x) < 0), ties count as right, of
the last iterate, margins are the best iterate's: as in the authors' code. Classifiers in the plane (figures 1 and 3)
are values on a grid, in units of their root mean square, so that classifiers of any scale can be compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..conventions import Array
from ..dataset import Dataset
from ..datasets.clusters import clusters_sample
from ..errors import InputError
from ..features import RELU
from ..features.directions import random_directions
from ..flow.network import Network
from ..flow.train import train_flow
from ..margins import Request, margin, max_margin
from ..solvers.master import Master
from ..solvers.random_features import random_feature_bracket
from ..theory.rates import Rate, proposition_6, proposition_7

KERNEL_TOL = 1e-6  # relative gap of solved classifiers: far below the noise of a test error
NEURON_TOL = 1e-3  # column generation in high dimension stops when no neuron found pays this much more
_MOMENTS = 40  # number of recorded times of a rate
REACH = 0.6  # the square [-REACH, REACH]^2 holds all disks
_DIGITS = 5
_TOL = 1e-9


def train(data: dict[str, Any], layers: str, **options: Any) -> dict[str, Any]:
    """Train one network by the paper's rule and measure it on fresh points."""
    points, fresh = clusters_sample(**data)
    if layers == "output":
        options["weights"] = "gaussian"
    run = train_flow(points.inputs(True), points.y, layers=layers, schedule="paper", **options)
    return {
        "margin_best": run.margin_best,
        "margin_last": run.margin_last,
        "step_of_best": run.step_of_best,
        "train_error": error_of(run.network.decision_function, points),
        "test_error": error_of(run.network.decision_function, fresh),
        "status": run.status,
    }


def solve(data: dict[str, Any], norm: str) -> dict[str, Any]:
    """The max-margin classifier, the predicted limit of the flow, on the same points.

    F1 in high dimension: column generation by local search, a true lower end that is nearly the best, beside a proved
    upper end that may be far; no clock takes part, so that the result is a function of the parameters.
    """
    points, fresh = clusters_sample(**data)
    asked = Request(data=points, norm=norm, feature=RELU, tol=KERNEL_TOL, local_tol=NEURON_TOL, quick=True)
    certificate = margin(asked)
    bracket, error = certificate.bracket, error_of(certificate.decision_function, fresh)
    return {"lower": bracket.lower, "upper": _finite(bracket.upper), "scope": bracket.scope, "test_error": error}


def certify(data: dict[str, Any], rounds: int) -> dict[str, Any]:
    """The certified bracket of gamma_1, the limit line of the margins of figure 2(d).

    `rounds` of branching go to its upper end, not seconds: a result is a function of its parameters.
    """
    certificate = max_margin(clusters_sample(**data)[0], "f1", tol=1e-9, branching_rounds=rounds, self_check=False)
    return {"lower": certificate.lower, "upper": _finite(certificate.upper), "scope": certificate.scope}


def rate(
    data: dict[str, Any], proposition: int, *, width: int, steps: int, seed: int, multiple: float
) -> dict[str, Any]:
    """Proposition 6 or 7 along one run: the promised gap, the actual one, and its fitted slope."""
    points, _ = clusters_sample(**data)
    Z, y = points.inputs(True), points.y
    rng = np.random.default_rng(seed)
    if proposition == 6:
        neurons = rng.standard_normal((width, Z.shape[1])), rng.standard_normal(width)
        lower, upper = simplex_margin(Z, y, neurons)
        found = proposition_6(Z, y, neurons, upper, steps=steps, multiple=multiple)
    else:
        hidden = random_directions(width, Z.shape[1], rng)
        bracket = random_feature_bracket(RELU.evaluate(hidden, Z), y)
        lower, upper = bracket.lower, bracket.upper
        found = proposition_7(Z, y, hidden, upper, steps=steps)
    moments = np.unique(np.geomspace(1, steps, _MOMENTS).astype(int))
    return {
        "lower": lower,
        "upper": upper,
        "step": moments.tolist(),
        "gap": (found.gamma - found.best)[moments - 1].tolist(),
        "promised": (found.gamma - found.bound)[moments - 1].tolist(),
        "holds": found.holds,
        "slope": _slope(found),
    }


def simplex_margin(Z: Array, y: Array, neurons: tuple[Array, Array]) -> tuple[float, float]:
    """Both ends of gamma_1^(m) = max over the simplex of min_i sum_j a_j y_i phi(w_j/|w_j|, x_i) (Prop. 6)."""
    A, b = neurons
    squares = np.einsum("jd,jd->j", A, A) + b * b
    columns = (b / squares)[:, None] * RELU.evaluate(A, Z) * y
    master = Master(len(y))
    master.add(columns)
    solution = master.solve(math.inf)
    return float(solution.margin), float((columns @ solution.p).max())


def error_of(f: Callable[[Array], Array], points: Dataset) -> float:
    """P(y f(x) < 0) on the points."""
    return float(np.mean(points.y * f(points.X) < 0))


def _slope(found: Rate) -> float | None:
    """None before the points are separated (the gap is then the whole margin), and when no gap is left to fit."""
    if not found.best[-1] > 0:
        return None
    try:
        return found.slope()
    except InputError:
        return None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


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


WORKS: dict[str, Callable[..., dict[str, Any]]] = {
    "train": train,
    "solve": solve,
    "certify": certify,
    "rate": rate,
    "picture": picture,
    "lazy": lazy,
}
