"""Norms, saddle point, smooth margin, kernels and invariances (sections 2 and 3, Appendix B)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..conventions import Array
from ..dataset import Dataset, load
from ..datasets.small import polygon, three_points, xor
from ..datasets.values import make_dataset
from ..features import RELU
from ..features.kernels import arc_cosine
from ..flow.loss import Loss
from ..games.certificate import Certificate
from ..games.measure import Measure
from ..games.variation import VariationGame
from ..margins import max_margin
from ..oracles.selection import exact_oracle
from .ledger import Chapter, Finding, worst

DEFINITIONS = Chapter()
Change = Callable[[Array, Array], tuple[Array, Array]]


def cloud(n: int, d: int, seed: int) -> Dataset:
    """Gaussian points with a nonlinear label, separable by both balls almost surely."""
    X = np.random.default_rng(seed).standard_normal((n, d))
    y = np.where(X[:, 0] * X[:, -1] + 0.3 * X[:, 0] > 0, 1, -1)
    y[0] = -y[1]
    return make_dataset(X, y, f"cloud n={n} d={d} seed={seed}", classes=(-1, 1))


def _sphere_program(data: Dataset) -> tuple[Array, Array, float]:
    """gamma_1 of Eq. 4 as written: a linear program over neurons (a, b) of the unit sphere of R^3, a grid of them.

    Returns the (K, 3) neurons, their masses nu >= 0, and the margin.  No identity of Appendix B is used.
    """
    from scipy.optimize import linprog

    turn, tilt = np.meshgrid(np.arange(64) * np.pi / 32, np.arange(-32, 33) * np.pi / 64)
    w = np.stack([np.cos(tilt) * np.cos(turn), np.cos(tilt) * np.sin(turn), np.sin(tilt)], axis=-1).reshape(-1, 3)
    Phi = data.y[:, None] * np.maximum(data.X @ w[:, :2].T, 0.0) * w[:, 2]
    n, K = Phi.shape
    result = linprog(
        np.r_[np.zeros(K), -1.0],
        np.hstack([-Phi, np.ones((n, 1))]),
        np.zeros(n),
        np.r_[np.ones(K), 0.0][None],
        [1.0],
        bounds=[(0, None)] * K + [(None, None)],
    )
    return w, result.x[:-1], float(result.x[-1])


@DEFINITIONS.claim(
    "prop9-factor",
    "The F1 margin over neurons (a, b) of the unit sphere is half of the one over unit a and total variation one.",
    "Prop. 9",
    "linear program over 4160 neurons (a, b) against the certified margins, XOR and 8-gon",
)
def _factor() -> Finding:
    def ratios() -> Iterator[tuple[str, float, float]]:
        for data in (xor(), polygon(4)):
            margin = _sphere_program(data)[2]
            for convention, factor in (("path", 0.5), ("sphere", 1.0)):
                certified = max_margin(data, bias=False, convention=convention).upper
                yield f"{data.name}, {convention}", factor, margin / certified

    return worst(ratios(), 1e-8)


@DEFINITIONS.claim(
    "prop9-balanced-program",
    "An optimal measure on the unit sphere charges only neurons with |a| = |b|.",
    "Prop. 9",
    "mass off |a| = |b| in the linear program over neurons (a, b), 8-gon",
)
def _balanced_program() -> Finding:
    w, nu, _ = _sphere_program(polygon(4))
    off = np.abs(np.hypot(w[:, 0], w[:, 1]) - np.abs(w[:, 2])) > 1e-9
    return Finding(0.0, float(nu[off].sum()), 1e-9)


def _examples() -> list[tuple[Dataset, Certificate]]:
    chosen = [(xor(), True), (three_points(1.0), True), (polygon(4), False), (cloud(30, 2, 0), True)]
    return [(data, max_margin(data, bias=bias)) for data, bias in chosen]


@DEFINITIONS.claim(
    "prop12-adversary",
    "The optimal adversary charges only the points of least margin.",
    "Prop. 12 (ii)",
    "(sum p_i y_i f(x_i) - min) / gamma_1 of certified pairs, worst of four sets",
)
def _slack_adversary() -> Finding:
    slack = []
    for data, certificate in _examples():
        margins = data.y * certificate.decision_function(data.X)
        slack.append(float(certificate.adversary @ margins - margins.min()) / certificate.lower)
    return Finding(0.0, max(slack), 1e-8)


@DEFINITIONS.claim(
    "prop12-measure",
    "The optimal measure charges only neurons that the adversary pays most.",
    "Prop. 12 (i)",
    "least payoff of a charged neuron over gamma_1, worst of four sets",
)
def _slack_measure() -> Finding:
    least = []
    for data, certificate in _examples():
        nu: Any = certificate.classifier
        q = certificate.adversary * data.y
        payoff = np.sign(nu.weights) * (RELU.evaluate(nu.directions, data.inputs(certificate.problem.bias)) @ q)
        charged = np.abs(nu.weights) > 1e-6
        least.append(0.5 * payoff[charged].min() / certificate.upper)
    return Finding(1.0, float(min(least)), 1e-6)


@DEFINITIONS.claim(
    "prop12-weak-duality",
    "No measure of norm one reaches a margin above what any weights on the points pay the best neuron.",
    "Prop. 12",
    "largest lower/upper over 300 pairs (measure, weights): the optimal ones, disturbed",
)
def _weak_duality() -> Finding:
    rng, ratios = np.random.default_rng(0), []
    for seed in range(6):
        data = cloud(8, 2, seed)
        Z = data.inputs(False)
        game, best = VariationGame(Z, data.y, RELU, oracle=exact_oracle(Z, RELU)), max_margin(data, bias=False)
        nu: Any = best.classifier
        for size in np.geomspace(1e-6, 1.0, 50):
            a = nu.directions + size * rng.standard_normal(nu.directions.shape)
            p = (1.0 - size) * best.adversary + size * rng.dirichlet(np.full(8, 0.3))
            bracket = game.certify(Measure(a, nu.weights).normalised(1), p / p.sum())
            ratios.append(bracket.lower / bracket.upper)
    return Finding(1.0, max(ratios), 0.0, "<=")


def _soft_minima() -> list[tuple[float, float, int, float]]:
    """(S_beta(u), min u, n, beta) for random u and, with equality in the upper bound, a single small entry."""
    rng, loss, found = np.random.default_rng(1), Loss("exp"), []
    for n in (2, 7, 100):
        for beta in (0.1, 1.0, 30.0):
            for u in [*rng.standard_normal((20, n)), np.r_[0.0, np.full(n - 1, 1e4 / beta)]]:
                found.append((loss.evaluate(beta * u)[0] / beta, float(u.min()), n, beta))
    return found


@DEFINITIONS.claim(
    "eq14-lower",
    "The smooth margin of the exponential loss is never below the margin.",
    "Eq. 14",
    "least S_beta(u) - min u over 189 vectors, and at u constant",
)
def _soft_min_above() -> Finding:
    constant = Loss("exp").evaluate(np.full(9, 0.7))[0] - 0.7
    gaps = [S - least for S, least, _, _ in _soft_minima()]
    return Finding(0.0, min(*gaps, constant), 1e-12)


@DEFINITIONS.claim(
    "eq14-upper",
    "The smooth margin exceeds the margin by at most log(n)/beta, and this is attained.",
    "Eq. 14",
    "largest (S_beta(u) - min u) beta / log n over 189 vectors",
)
def _soft_min_below() -> Finding:
    return Finding(1.0, max((S - least) * beta / math.log(n) for S, least, n, beta in _soft_minima()), 1e-9)


@DEFINITIONS.claim(
    "eq6-gradient",
    "The gradient of the smooth margin is a point of the simplex: exactly for exp, in the limit for logistic.",
    "Eq. 6, assumption A2 of the paper",
    "its sum at u and, logistic, at u + 40; and against central differences",
)
def _gradient() -> Finding:
    u, h = np.array([0.3, -0.2, 1.1, 0.9]), 1e-6
    errors = []
    for name, shift in (("exp", 0.0), ("logistic", 40.0)):
        loss = Loss(name)
        errors.append(abs(loss.evaluate(u + shift)[1].sum() - 1.0))
        slopes = [(loss.evaluate(u + h * e)[0] - loss.evaluate(u - h * e)[0]) / (2 * h) for e in np.eye(4)]
        errors.append(float(np.abs(loss.evaluate(u)[1] - slopes).max()))
    return Finding(0.0, max(errors), 1e-8)


@DEFINITIONS.claim(
    "f1-below-f2",
    "The F1 norm is at most twice the F2 norm; |g|_F1 <= |g|_F2, as printed, is not true.",
    "section 2.3; Prop. 9",
    "largest gamma_2 / gamma_1 over antipodal pairs and six clouds",
)
def _norms() -> Finding:
    sets = [make_dataset([[1.0, 0.0], [-1.0, 0.0]], [1, -1]), *(cloud(12, 2, seed) for seed in range(6))]
    ratio = max(max_margin(data, "f2", bias=False).lower / max_margin(data, "f1", bias=False).upper for data in sets)
    printed = Finding(1.0, ratio, 1e-9, "<=")
    return Finding(2.0, ratio, 1e-9, "<=", "the printed bound is 1", printed)


@DEFINITIONS.claim(
    "kernel-sqrt-d",
    "Gaussian hidden weights multiply gamma_2 by sqrt(D), against directions uniform on the sphere.",
    "docs/theory.rst, A1",
    "ratio of the two certified margins, D = 2, 3, 5, 8",
)
def _kernel_factor() -> Finding:
    def ratios() -> Iterator[tuple[str, float, float]]:
        for d in (2, 3, 5, 8):
            data = cloud(10, d, d)
            gaussian, sphere = (max_margin(data, "f2", bias=False, weights=w).upper for w in ("gaussian", "sphere"))
            yield data.name, math.sqrt(d), gaussian / sphere

    return worst(ratios(), 1e-9)


@DEFINITIONS.claim(
    "kernel-arc-cosine",
    "K(z, z') = |z||z'| kappa(cos)/(2D) is the mean of (a.z)_+ (a.z')_+ over directions uniform on the sphere.",
    "Eq. 5; docs/theory.rst, A1",
    "largest deviation from 400,000 simulated directions, in standard errors, D = 4",
)
def _kernel_simulated() -> Finding:
    rng = np.random.default_rng(3)
    Z, A = rng.standard_normal((4, 4)), rng.standard_normal((400_000, 4))
    A /= np.linalg.norm(A, axis=1, keepdims=True)
    values = np.maximum(A @ Z.T, 0.0)
    i, j = np.triu_indices(4)
    products = values[:, i] * values[:, j]
    error = products.std(axis=0) / math.sqrt(len(A))
    deviation = np.abs(products.mean(axis=0) - arc_cosine(Z)[i, j]) / error
    return Finding(0.0, float(deviation.max()), 4.0, "<=")


def _invariance(
    name: str, statement: str, source: str, test: str, change: Change, *, factors: tuple[float, ...] = (1.0, 1.0, 1.0)
) -> None:
    """The claim that the margins of changed data are `factors` times those of the cloud."""

    @DEFINITIONS.claim(f"invariance-{name}", statement, source, test)
    def measure() -> Finding:
        data, found = cloud(10, 3, 1), []
        changed = make_dataset(*change(data.X, data.y), name)
        kinds = ("gamma_1", "f1", "relu"), ("gamma_1 squared ReLU", "f1", "squared-relu"), ("gamma_2", "f2", "relu")
        for (kind, norm, feature), factor in zip(kinds, factors, strict=True):
            before, after = (max_margin(one, norm, feature=feature, bias=False).lower for one in (data, changed))
            found.append((kind, factor * before, after))
        return worst(found, 1e-6)


_invariance(
    "scale",
    "Scaling the data by c scales gamma_1 and gamma_2 by c, and by c squared for the squared ReLU.",
    "homogeneity, assumption A1 of the paper",
    "margins of 3 x against those of x",
    lambda X, y: (3.0 * X, y),
    factors=(3.0, 9.0, 3.0),
)
_invariance(
    "rotation",
    "Without bias, rotating the data changes no margin.",
    "rotation invariance of the spheres",
    "margins of rotated points",
    lambda X, y: (X @ np.linalg.qr(np.random.default_rng(5).standard_normal((3, 3)))[0], y),
)
_invariance(
    "labels",
    "Exchanging the two classes and repeating points changes no margin.",
    "balancedness, assumption A1 of the paper; minimum over points",
    "margins of -y with three points repeated",
    lambda X, y: (np.vstack([X, X[:3]]), -np.r_[y, y[:3]]),
)
_invariance(
    "padding",
    "Coordinates that are zero leave gamma_1 and multiply gamma_2 by sqrt(D/D').",
    "Lemma 20; docs/theory.rst, closed forms",
    "margins of 3-dimensional points in 5 dimensions",
    lambda X, y: (np.hstack([X, np.zeros((10, 2))]), y),
    factors=(1.0, 1.0, math.sqrt(3 / 5)),
)


@DEFINITIONS.claim(
    "monotone-points",
    "A further point never raises a margin.",
    "minimum over points",
    "largest ratio of successive gamma_1, and gamma_2, over prefixes of a set",
)
def _more_points() -> Finding:
    data, ratios = load("clusters:n=24,d=3,k=2,seed=0"), []
    for norm in ("f1", "f2"):
        margins = [max_margin((data.X[:n], data.y[:n]), norm) for n in (8, 12, 16, 20, 24)]
        ratios += [later.lower / earlier.upper for earlier, later in zip(margins, margins[1:], strict=False)]
    return Finding(1.0, max(ratios), 1e-9, "<=")
