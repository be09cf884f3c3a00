"""What the figures draw of a comparison: classifiers and payoffs on one scale, trained runs by reference.

Everything is read from `compare`'s result by attribute; nothing is solved and nothing is trained here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import conventions
from ..conventions import Array
from ..features.homogeneous import Feature
from ..games.measure import Measure
from ..text import percent, short
from . import style

_NEAR, _NEAR_RING = 0.1, 0.35
TRAINED = {"f1": "both layers trained", "f2m": "output layer trained"}


@dataclass(frozen=True)
class View:
    """A classifier in units of its own margin: min_i y_i f(x_i) = 1 (mean |f(x_i)| = 1 if it does not separate).

    Attributes
    ----------
    title, subtitle : what it is, and its margin.
    f : X (N, d) -> (N,).
    rings : (n,) in [0, 1], how much each point supports it: p_i / max p of a certificate; for a network (whose
        soft-min weights sit on one point at a time) a constant for the points within 10 % of its margin.
    colour : of the object.  separates : whether the unit is the margin.
    """

    title: str
    subtitle: str
    f: Callable[[Array], Array]
    rings: Array
    colour: str
    separates: bool


def _view(titles: tuple[str, str], f: Callable[[Array], Array], u: Array, rings: Array, colour: str) -> View:
    """The view of f with y_i f(x_i) = u_i."""
    title, subtitle = titles
    margin = float(u.min())
    unit = margin if margin > 0 else float(np.abs(u).mean()) or 1.0
    return View(title, subtitle, lambda points: f(points) / unit, rings, colour, margin > 0)


def best_network(run: Any) -> Any:
    """The network of the best margin; the last one of a run that never separated (its best may be f = 0)."""
    return run.network_best if run.margin_best > 0 else run.network


def first_run(comparison: Any, reference: str) -> Any | None:
    """The first run with that reference, or None."""
    return next((item for item in comparison.runs if item.reference == reference), None)


def separable(certificate: Any) -> bool:
    """False where the margin is proved to be zero: then the classifier means nothing."""
    return certificate.status.value != "not-separable"


def certificate_view(name: str, certificate: Any, X: Array, y: Array) -> View:
    """The solved classifier of a certificate."""
    bracket = short(certificate.lower, certificate.upper)
    subtitle = f"margin in {bracket} ({certificate.status.value}, {certificate.scope})"
    f = certificate.decision_function
    if not separable(certificate):
        subtitle, f = "margin 0, proved: no such classifier separates", lambda points: np.zeros(len(points))
    rings = certificate.adversary / (certificate.adversary.max() or 1.0)
    return _view((conventions.NORMS[name], subtitle), f, y * np.asarray(f(X), dtype=float), rings, style.OBJECT[name])


def run_view(item: Any, X: Array, y: Array) -> View:
    """The best network of a compared run."""
    run, fraction = item.run, item.fraction_of_lower
    reached = "" if fraction is None else f" = {percent(fraction)} of its reference"
    if run.margin_best <= 0:
        reached = f", not separating after {run.steps} steps"
    margin = f"margin {run.margin_best:.4g}".replace("-", "\u2212")
    titles = f"{TRAINED[item.reference]}, m = {run.width}", f"{margin}{reached}"
    f = best_network(run).decision_function
    u = y * np.asarray(f(X), dtype=float)
    near = ((u > 0) & (u <= (1 + _NEAR) * u.min())).astype(float)
    return _view(titles, f, u, _NEAR_RING * near, style.OBJECT[item.reference])


def classifier_views(comparison: Any) -> dict[str, View]:
    """ "f1", "f2", "both", "output": those that the comparison has, in the order of a 2 x 2 table."""
    X, y = comparison.dataset.X, comparison.dataset.y
    solved = [name for name in ("f1", "f2") if name in comparison.margins]
    found = {name: certificate_view(name, comparison.margins[name], X, y) for name in solved}
    for key, reference in (("both", "f1"), ("output", "f2m")):
        item = first_run(comparison, reference)
        if item is not None:
            found[key] = run_view(item, X, y)
    return found


@dataclass(frozen=True)
class Payoff:
    """The dual potential a -> factor * sum_i p_i y_i sigma(a.z_i) of a certificate's adversary, in the margin's units.

    Attributes
    ----------
    feature : the activation.  factor : 1/2 for ReLU in the sphere convention.  atoms : the certificate's classifier.
    Z : (n, D).  q : (n,) p y.  level : the proved upper end, which no |payoff| exceeds.
    """

    Z: Array
    q: Array
    feature: Feature
    factor: float
    level: float
    atoms: Measure

    def __call__(self, directions: Array) -> Array:
        """Signed payoff of a neuron with output weight +1, shape (K,)."""
        support = np.flatnonzero(self.q)
        return self.factor * (self.feature.evaluate(directions, self.Z[support]) @ self.q[support])


def payoff_of(dataset: Any, certificate: Any) -> Payoff:
    """The dual potential of an F1 certificate; level is `lower` without a finite upper end, 1 if the margin is 0."""
    problem = certificate.problem
    feature = problem.feature
    factor = conventions.variation_factor(feature.degree, problem.convention)
    level = certificate.upper if np.isfinite(certificate.upper) else certificate.lower
    if not separable(certificate) or level <= 0:
        level = 1.0
    Z = conventions.inputs(dataset.X, problem.bias)
    return Payoff(Z, certificate.adversary * dataset.y, feature, factor, float(level), certificate.classifier)


def shares(measure: Measure) -> Array:
    """|w_k| / sum |w|: how much of the total variation each neuron carries."""
    weights = np.abs(np.asarray(measure.weights, dtype=float))
    return weights / (weights.sum() or 1.0)


def sign_colours(weights: Array) -> list[str]:
    """The colour of the class that each neuron votes for."""
    return [style.POSITIVE if w > 0 else style.NEGATIVE for w in weights]


def plain(text: Any) -> str:
    """The user's text for matplotlib: a dollar sign is a dollar sign, not the beginning of a formula."""
    return str(text).replace("$", r"\$")


def feature_names(dataset: Any) -> list[str]:
    """The data's own names, or x1 .. xd."""
    names = getattr(dataset, "feature_names", None)
    return (
        [plain(name) for name in names]
        if names is not None
        else [f"$x_{{{k + 1}}}$" for k in range(dataset.X.shape[1])]
    )


def coordinate_names(dataset: Any, bias: bool) -> list[str]:
    """Names of the coordinates of a neuron's direction: those of the features, and "bias"."""
    return [*feature_names(dataset), "bias"] if bias else feature_names(dataset)
