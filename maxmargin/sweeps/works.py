"""The tasks of figures 2(b)-(d) and of the rates: pure functions of plain parameters.

`data` are the options of `datasets.clusters.clusters_sample`. Test errors are P(y f(x) < 0), ties count as right, of
the last iterate, margins are the best iterate's: as in the authors' code.
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
from ..flow.train import train_flow
from ..margins import Request, margin, max_margin
from ..solvers.master import Master
from ..solvers.random_features import random_feature_bracket
from ..theory.rates import Rate, proposition_6, proposition_7
from .maps import lazy, picture

KERNEL_TOL = 1e-6  # relative gap of solved classifiers: far below the noise of a test error
NEURON_TOL = 1e-3  # column generation in high dimension stops when no neuron found pays this much more
_MOMENTS = 40  # number of recorded times of a rate


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


WORKS: dict[str, Callable[..., dict[str, Any]]] = {
    "train": train,
    "solve": solve,
    "certify": certify,
    "rate": rate,
    "picture": picture,
    "lazy": lazy,
}
