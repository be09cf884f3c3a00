"""Feature averaging: exact robust radii of trained networks, where an attack by gradients sees far too much robustness.

k orthogonal clusters of centres mu_j with |mu_j| = sqrt(d), unit noise, half of the clusters positive. A binary net
learns the average of the centres of each class and is robust up to sqrt(d/k); k features, one a cluster, with a common
threshold are robust up to sqrt(d/2), which no classifier can exceed (half of the distance of two opposite centres).

The radii are those of `robust_radii`; radii, best threshold and robust game are derived here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..margins import max_margin
from ..plots.style import F1, F2, INK, MUTED, NTK
from .panels import finish, two_panels
from .robust_radii import Net, radii
from .shape import Lab, LabFinding, LabResult, compare

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """k clusters in d dimensions, n points; gradient descent of `steps` steps of `step` from N(0, sigma^2)."""

    clusters: int = 10
    dimension: int = 1024
    points: int = 1000
    step: float = 0.003
    steps: int = 100
    sigma: float = 1e-5
    tested: int = 200
    budgets: tuple[float, ...] = (0.0, 0.2, 0.4)
    seed: int = 0


def sample(settings: Settings, n: int, rng: np.random.Generator, thin: float = 1.0) -> tuple[Array, NDArray[np.int64]]:
    """Points mu_j + N(0, I), mu_j = sqrt(d) e_j, and their clusters; cluster 0 is drawn `thin` times as often."""
    weights = np.array([thin, *np.ones(settings.clusters - 1)])
    j = rng.choice(settings.clusters, size=n, p=weights / weights.sum())
    X = rng.standard_normal((n, settings.dimension))
    X[np.arange(n), j] += np.sqrt(settings.dimension)
    return X, j


def train(
    X: Array, j: NDArray[np.int64], settings: Settings, *, classes: bool = False, sigma: float | None = None
) -> Net:
    """Hidden layer only: logistic loss of the label with +-1/h outputs and biases; or cross-entropy of the cluster."""
    rng, k, n = np.random.default_rng(settings.seed + 1), settings.clusters, len(X)
    scale, h = settings.sigma if sigma is None else sigma, k // 2
    W, b = scale * rng.standard_normal((k, X.shape[1])), scale * rng.standard_normal(k) * (not classes)
    signs, y = np.repeat([1.0, -1.0], h) / h, np.where(j < h, 1.0, -1.0)
    for _ in range(settings.steps):
        U = X @ W.T + b
        active = np.maximum(U, 0.0)
        if classes:
            P = np.exp(active - active.max(axis=1, keepdims=True))
            G = (np.eye(k)[j] - P / P.sum(axis=1, keepdims=True)) * (U > 0)
        else:
            G = (y / (1.0 + np.exp(y * (active @ signs))))[:, None] * signs * (U > 0)
        W = W + settings.step / n * G.T @ X
        b = b + settings.step / n * G.sum(axis=0) * (not classes)
    return Net(W, b)


def robust_share(net: Net, X: Array, j: NDArray[np.int64], eps: Array) -> Array:
    """Accuracy under the attack for each radius."""
    h = len(net.W) // 2
    sides = ((X[j < h], net), (X[j >= h], net.mirrored()))
    return np.array([np.mean(np.concatenate([side.attacked(part, e) for part, side in sides])) for e in eps])


def threshold_radius(h: int, beta: float) -> float:
    """Radius at the centres of k = 2 h unit features with threshold beta, in units of sqrt(d)."""
    q = np.arange(1, h + 1)
    return float(min(1.0 - beta, *((1.0 + (q - 1) * beta) / np.sqrt(q + 1.0))))


def _thresholds() -> tuple[float, float]:
    """Largest relative error of the formula and of the optimum 1 / sqrt(2), over k and beta, at the centres."""
    errors, optimum = [0.0], [0.0]
    for k, beta in product((4, 6, 10, 16), (0.0, 0.15, 0.26, 0.32)):
        net = Net(np.eye(k), np.full(k, -beta))
        found, formula = radii(net, np.eye(k)[:1], np.zeros(1, dtype=int)), threshold_radius(k // 2, beta)
        errors += [abs(end[0] / formula - 1.0) for end in found]
        optimum += [abs(end[0] * np.sqrt(2.0) - 1.0) for end in found if beta == 0.26]
    return max(errors), max(optimum)


def robust_game(rho: float) -> tuple[float, float, float]:
    """k = 4 without noise, |mu_j| = 1: proved upper bound of the robust F1 margin, averaging, features (no threshold).

    The bound is the max margin of the centres and of points that the adversary may move them to.
    """
    X, y = [], []
    for j in range(4):
        own, foreign = ([0, 1], [2, 3]) if j < 2 else ([2, 3], [0, 1])
        moves = [np.zeros(4)]
        for size, lowered in product((1, 2), ([j], own)):
            for raised in combinations(foreign, size):
                move = np.zeros(4)
                move[list(raised)], move[lowered] = 1.0, -1.0
                moves.append(rho * move / np.linalg.norm(move))
        X += [np.eye(4)[j] + move for move in moves[: 1 if rho == 0 else None]]
        y += [1.0 if j < 2 else -1.0] * (1 if rho == 0 else len(moves))
    solved = max_margin((np.array(X), np.array(y)), bias=False, convention="path", tol=1e-6)
    return solved.upper, 1.0 / np.sqrt(8.0) - rho / np.sqrt(2.0), (1.0 - rho * np.sqrt(3.0)) / 4.0


def _cosines(net: Net, k: int) -> tuple[float, float]:
    """Median and least cosine of a neuron with a centre of its own class."""
    directions = net.W[:, :k] / np.linalg.norm(net.W, axis=1)[:, None]
    own = np.concatenate([directions[: k // 2, : k // 2].ravel(), directions[k // 2 :, k // 2 :].ravel()])
    return float(np.median(own)), float(own.min())


def run(settings: Settings) -> LabResult:
    """Train both ways, certify the radii, attack; thresholds at the centres; the robust game."""
    rng, k, d = np.random.default_rng(settings.seed), settings.clusters, settings.dimension
    h = k // 2
    X, j = sample(settings, settings.points, rng)
    fresh, where = sample(settings, settings.tested, rng)
    averaging, features = train(X, j, settings), train(X, j, settings, classes=True)
    lazy = train(X, j, settings, sigma=0.01)
    thinned, missing = (train(*sample(settings, settings.points, rng, thin), settings) for thin in (0.3, 0.0))
    ideal = np.sqrt(d / k)
    nets = {"average": averaging, "features": features}
    exact = {name: radii(net, fresh, where) for name, net in (nets | {"lazy": lazy}).items()}
    medians = {name: float(np.median(pair[0])) for name, pair in exact.items()}
    eps = ideal * np.linspace(0.4, 2.6, 23)
    attacks = {name: robust_share(net, fresh, where, eps) for name, net in nets.items()}
    fooled = {name: float(np.interp(-0.5, -share, eps)) / medians[name] for name, share in attacks.items()}
    lower, upper = exact["average"]
    (cosine, least), formula = _cosines(averaging, k), _thresholds()
    game = np.array([robust_game(rho) for rho in settings.budgets])
    ratio = [medians[name] / ideal for name in ("average", "lazy")]
    findings: tuple[LabFinding, ...] = (
        compare("radius", "The binary net is robust up to sqrt(d/k): median certified distance over it.",
                ratio[0], "=", 0.99, within=0.03),
        compare("certified", "Every one of these distances is exact (largest relative gap).",
                np.max((upper - lower) / np.maximum(upper, 1e-300)), "<=", 1e-9),
        compare("cosine", "Neurons are averages: median cosine with a centre of their class is 1/sqrt(h).",
                cosine, "=", 1 / np.sqrt(h), within=0.015),
        compare("every-cluster", "No cluster is left out: least cosine.",
                least, ">=", 0.4),
        compare("attack-average",
                "On the binary net the attack by gradients finds the radius (its median over the exact one).",
                fooled["average"], "=", 1.0, within=0.1),
        compare("attack-features", "On the sum of cluster features it finds the radius, too.",
                fooled["features"], "=", 1.0, within=0.1, broken=True),
        compare("threshold-formula",
                "Radii of the sum with threshold beta at the centres follow the formula (relative error).",
                formula[0], "<=", 1e-7),
        compare("threshold-best",
                "With beta in [sqrt(3/2) - 1, 1 - 1/sqrt(2)] they are sqrt(d/2), the best of any classifier.",
                formula[1], "<=", 1e-7),
        compare("no-threshold", "Without a threshold the sum is optimal, too (over sqrt(d/2)).",
                threshold_radius(h, 0.0) * np.sqrt(2.0), ">=", 1.0, within=1e-7, broken=True),
        compare("game-start", "Without an adversary averaging is the F1 max margin (gap to the proved upper bound).",
                game[0, 0] - game[0, 1], "=", 0.0, within=1e-6),
        compare("game-bound",
                "Averaging and features stay below the proved bound of the robust game (largest excess).",
                np.max(game[:, 1:] - game[:, :1]), "<=", 0.0, within=1e-9),
        compare("game-cross", "At the largest budget features beat averaging.",
                game[-1, 2] - game[-1, 1], ">=", 0.0),
        compare("lazy-start", "From a start of scale 0.01 the radius is the same.",
                ratio[1], "=", 0.99, within=0.03, broken=True),
        compare("thinned", "With one cluster thinned to 30 % no cluster is left out.",
                _cosines(thinned, k)[1], ">=", 0.4, broken=True),
        compare("missing", "With one cluster missing no cluster is left out.",
                _cosines(missing, k)[1], ">=", 0.4, broken=True),
    )  # fmt: skip
    arrays = {"eps": eps, "attacks": attacks, "exact": exact, "game": game, "budgets": settings.budgets}
    return LabResult(findings, {**arrays, "k": k, "d": d})


def figure(result: LabResult) -> Figure:
    """Left: robust accuracy, exact and under attack. Right: the robust F1 game."""
    (drawing, left, right), a = two_panels(), result.arrays
    for name, colour, label in (("average", F1, "binary"), ("features", F2, "features")):
        radius = np.sort(a["exact"][name][0])
        left.plot(radius, 1.0 - np.arange(len(radius)) / len(radius), color=colour, label=f"{label}, exact")
        left.plot(a["eps"], a["attacks"][name], ".", color=colour, markersize=7, label=f"{label}, attacked")
    marks = ((a["k"], "d/k", "right"), (a["k"] / 2 + 1, "d/(k/2+1)", "left"), (2, "d/2", "center"))
    for q, text, side in marks:
        left.axvline(np.sqrt(a["d"] / q), color=MUTED, linestyle="--", linewidth=1.0)
        left.text(np.sqrt(a["d"] / q), 1.03, f"$\\sqrt{{{text}}}$", ha=side, color=MUTED, fontsize=9.0)
    left.set_xlim(0.0, 1.05 * np.sqrt(a["d"] / 2))
    finish(left, "Robust test accuracy", " ", x="radius of the adversary", legend="lower left")
    names = ("proved upper bound", "averaging", "features, no threshold")
    for column, (name, colour) in enumerate(zip(names, (INK, F1, NTK), strict=True)):
        style = "-" if column else "o--"
        right.plot(a["budgets"], a["game"][:, column], style, color=colour, label=name, markersize=4)
    finish(right, "Robust F1 margin", "four orthogonal clusters of norm 1", x="budget of the adversary")
    return drawing


LAB = Lab(
    name="feature-averaging",
    paper="Feature averaging: implicit bias of gradient descent and non-robustness (ICLR 2025, arXiv 2410.10322)",
    compares="certified radii of trained nets with sqrt(d/k), sqrt(d/2) and with an attack; a robust F1 game",
    smoke=Settings(),
    full=Settings(dimension=3072, step=0.001, tested=1000, budgets=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5)),
    seconds=(3.0, 8.0),
    run=run,
    figure=figure,
)
