"""Feature averaging: exact robust radii of trained networks, where an attack by gradients sees far too much robustness.

k orthogonal clusters of centres mu_j with |mu_j| = sqrt(d), unit noise, half of the clusters positive. A binary net
learns the average of the centres of each class and is robust up to sqrt(d/k); k features, one a cluster, with a common
threshold are robust up to sqrt(d/2), which no classifier can exceed (half of the distance of two opposite centres).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import combinations, product
from typing import Any

import numpy as np
from scipy.special import expit, softmax

from ..conventions import Array, Indices, Mask
from ..margins import max_margin
from ..plots.panels import dots, line, mark, panel, upright
from ..plots.style import F1, F2, INK, MUTED, NTK
from .shape import Items, Lab, compare, mistake

K, POINTS, STEPS = 10, 1000, 100  # clusters; training
HALF = K // 2  # clusters of a class


@dataclass(frozen=True)
class Net:
    """f(x) = sum over the first half of (w_r.x + b_r)_+ minus sum over the second half, up to a factor."""

    W: Array
    b: Array

    def values(self, U: Array) -> Array:
        """f from pre-activations (..., m)."""
        return np.maximum(U, 0.0) @ self.signs

    @property
    def signs(self) -> Array:
        """+1 for the first half of the neurons, -1 for the second."""
        return np.repeat([1.0, -1.0], len(self.W) // 2)

    def distances(self, X: Array) -> Array:
        """Proved bracket of the distance from each point to {f <= 0}, (2, n); 0 where f <= 0 already.

        With positive neurons u_r and negative ones v_r that set is a union over S- of convex sets; the lower end is

            min_{S-} max_{S+} [sum_{S+} u_r(x) - sum_{S-} v_r(x)]_+ / |sum_{S+} w_r - sum_{S-} w_r|,

        and a walk along the winning normal, in steps that grow from rounding to 4 times that, proves the upper one.
        """
        h, U, G = len(self.W) // 2, X @ self.W.T + self.b, self.W @ self.W.T
        S = np.array(list(product((0.0, 1.0), repeat=h)))  # all subsets of either half
        plus, minus = (((S @ gram) * S).sum(axis=1) for gram in (G[:h, :h], G[h:, h:]))
        lengths = np.sqrt(np.maximum(plus[:, None] + minus - 2.0 * S @ G[:h, h:] @ S.T, 0.0))
        lengths[0, 0] = np.inf  # both empty: no half space
        lower, upper = ends = np.zeros((2, len(X)))
        for i in np.flatnonzero(self.values(U) > 0):
            far = np.maximum((S @ U[i, :h])[:, None] - S @ U[i, h:], 0.0) / lengths
            worst = int(far.max(axis=0).argmin())
            best = int(far[:, worst].argmax())
            normal = np.concatenate([S[best], -S[worst]]) @ self.W / lengths[best, worst]
            walk = far[best, worst] * (1.0 + np.geomspace(1e-16, 3.0, 100))
            wrong = self.values(U[i] - walk[:, None] * (self.W @ normal)) <= 0.0
            lower[i], upper[i] = far[best, worst], walk[wrong.argmax()] if wrong.any() else np.inf
        return ends

    def attacked(self, X: Array, eps: float) -> Mask:
        """Whether 40 normalised gradient steps of 2.5 eps / 40 inside the ball of radius eps leave f > 0."""
        Q, R = np.linalg.qr(self.W.T)  # the gradient lies in the span of the weights
        start = X @ Q
        away, robust = np.zeros_like(start), np.ones(len(X), dtype=bool)
        for _ in range(40):
            G = (((start + away) @ R + self.b > 0) * self.signs) @ R.T
            away = away - 2.5 * eps / 40 * G / np.maximum(np.linalg.norm(G, axis=1, keepdims=True), 1e-12)
            away = away * np.minimum(1.0, eps / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-12))
            robust &= self.values((start + away) @ R + self.b) > 0
        return robust


def by_label(net: Net, X: Array, j: Indices, measure: Callable[[Net, Array], Any]) -> Array:
    """`measure(side, points)` of the points of one label, then of the other, with the net that is positive there."""
    positive, mirrored = j < HALF, Net(net.W[::-1], net.b[::-1])  # the latter is -f
    return np.concatenate([measure(net, X[positive]), measure(mirrored, X[~positive])], axis=-1)


@dataclass(frozen=True)
class Settings:
    """Dimension, step of gradient descent, points tested, budgets of the adversary in the robust game."""

    dimension: int = 1024
    step: float = 0.003
    tested: int = 200
    budgets: tuple[float, ...] = (0.0, 0.2, 0.4)
    seed: int = 0


def sample(d: int, n: int, rng: np.random.Generator, thin: float = 1.0) -> tuple[Array, Indices]:
    """Points mu_j + N(0, I), mu_j = sqrt(d) e_j, and their clusters; cluster 0 is drawn `thin` times as often."""
    weights = np.array([thin, *np.ones(K - 1)])
    j = rng.choice(K, size=n, p=weights / weights.sum())
    X = rng.standard_normal((n, d))
    X[np.arange(n), j] += np.sqrt(d)
    return X, j


def train(X: Array, j: Indices, s: Settings, *, classes: bool = False, sigma: float = 1e-5) -> Net:
    """Hidden layer only: logistic loss of the label with +-1/h outputs and biases; or cross-entropy of the cluster."""
    rng, signs = np.random.default_rng(s.seed + 1), np.repeat([1.0, -1.0], HALF) / HALF
    y = np.where(j < HALF, 1.0, -1.0)
    W, b = sigma * rng.standard_normal((K, X.shape[1])), sigma * rng.standard_normal(K) * (not classes)
    for _ in range(STEPS):
        U = X @ W.T + b
        active = np.maximum(U, 0.0)
        pull = np.eye(K)[j] - softmax(active, axis=1) if classes else np.outer(y * expit(-y * (active @ signs)), signs)
        G = s.step / len(X) * pull * (U > 0)
        W, b = W + G.T @ X, b + G.sum(axis=0) * (not classes)
    return Net(W, b)


def threshold_radius(h: int, beta: float) -> float:
    """Radius at the centres of k = 2 h unit features with threshold beta, in units of sqrt(d)."""
    q = np.arange(1, h + 1)
    return float(min(1.0 - beta, *((1.0 + (q - 1) * beta) / np.sqrt(q + 1.0))))


def _thresholds(_: Settings) -> Items:
    """The formula at the centres and its optimum 1 / sqrt(2), over k and beta."""
    cases = product((4, 6, 10, 16), (0.0, 0.15, 0.26, 0.32))
    ends = {(k, beta): Net(np.eye(k), np.full(k, -beta)).distances(np.eye(k)[:1]) for k, beta in cases}
    errors = [np.abs(radii / threshold_radius(k // 2, beta) - 1.0).max() for (k, beta), radii in ends.items()]
    optimum = [np.abs(radii * np.sqrt(2.0) - 1.0).max() for (_, beta), radii in ends.items() if beta == 0.26]
    return [
        compare("threshold-formula", "The radii of the sum with threshold beta follow the formula (relative error).",
                max(errors), "<=", 1e-7),
        compare("threshold-best", "With beta in [sqrt(3/2) - 1, 1 - 1/sqrt(2)] they are sqrt(d/2), the best there is.",
                max(optimum), "<=", 1e-7),
        mistake("no-threshold", "Without a threshold the sum is optimal, too (over sqrt(d/2)).",
                threshold_radius(HALF, 0.0) * np.sqrt(2.0), ">=", 1.0, within=1e-7),
    ]  # fmt: skip


def robust_bound(rho: float) -> float:
    """Proved upper bound of the robust F1 margin for k = 4 without noise, |mu_j| = 1.

    It is the max margin of the centres and of points that the adversary may move them to.
    """
    X = list[Array]()
    for j, (own, foreign) in enumerate([((0, 1), (2, 3))] * 2 + [((2, 3), (0, 1))] * 2):
        moves = [np.zeros(4)]
        for size, lowered in product((1, 2), ((j,), own)):
            for raised in combinations(foreign, size) if rho else ():
                move = np.zeros(4)
                move[list(raised)], move[list(lowered)] = 1.0, -1.0
                moves.append(rho * move / np.linalg.norm(move))
        X += [np.eye(4)[j] + move for move in moves]
    return max_margin((np.array(X), np.repeat([1.0, -1.0], len(X) // 2)), bias=False, convention="path", tol=1e-6).upper


def _game(s: Settings) -> Items:
    """The robust F1 margin: its bound, averaging, and features without a threshold."""
    rho, bound = np.array(s.budgets), np.array([robust_bound(size) for size in s.budgets])
    averaging, features = 1.0 / np.sqrt(8.0) - rho / np.sqrt(2.0), (1.0 - rho * np.sqrt(3.0)) / 4.0
    return [
        panel("Robust F1 margin",
              line(rho, bound, INK, "proved upper bound", style="o--", markersize=4),
              line(rho, averaging, F1, "averaging"), line(rho, features, NTK, "features, no threshold"),
              below="four orthogonal clusters of norm 1", xlabel="budget of the adversary"),
        compare("game-start", "Without an adversary averaging is the F1 max margin (gap to the proved upper bound).",
                bound[0] - averaging[0], within=1e-6),
        compare("game-bound", "Averaging and features stay below the proved bound of the game (largest excess).",
                np.max(np.maximum(averaging, features) - bound), "<=", 0.0, within=1e-9),
        compare("game-cross", "At the largest budget features beat averaging.", features[-1] - averaging[-1], ">="),
    ]  # fmt: skip


def cosines(net: Net) -> Array:
    """Of neurons with the centres of their own class."""
    directions = net.W[:, :K] / np.linalg.norm(net.W, axis=1)[:, None]
    return np.array([directions[:HALF, :HALF], directions[HALF:, HALF:]])


def _trained(s: Settings) -> Items:
    """Train both ways, certify the radii, attack."""
    rng, ideal = np.random.default_rng(s.seed), np.sqrt(s.dimension / K)
    X, j = sample(s.dimension, POINTS, rng)
    fresh, where = sample(s.dimension, s.tested, rng)
    average, features, lazy = train(X, j, s), train(X, j, s, classes=True), train(X, j, s, sigma=0.01)
    thinned, missing = (train(*sample(s.dimension, POINTS, rng, thin), s) for thin in (0.3, 0.0))
    eps, fooled, marks = ideal * np.linspace(0.4, 2.6, 23), [], []
    for name, net, colour in (("binary", average, F1), ("features", features, F2)):
        radius = np.sort(by_label(net, fresh, where, Net.distances)[0])
        shares = [by_label(net, fresh, where, partial(Net.attacked, eps=e)).mean() for e in eps]
        fooled.append(np.interp(-0.5, -np.array(shares), eps) / np.median(radius))
        marks += [line(radius, 1.0 - np.arange(s.tested) / s.tested, colour, f"{name}, exact"),
                  dots(eps, shares, colour, f"{name}, attacked", size=7, style=".")]  # fmt: skip
    for name, share, side in (("d/k", K, "right"), ("d/(k/2+1)", HALF + 1, "left"), ("d/2", 2, "center")):
        place = np.sqrt(s.dimension / share)
        marks += [upright(place), mark("text", place, 1.03, f"$\\sqrt{{{name}}}$", ha=side, color=MUTED, fontsize=9.0)]
    lower, upper = by_label(average, fresh, where, Net.distances)
    return [
        panel("Robust test accuracy", *marks, below=" ", xlabel="radius of the adversary", legend="lower left",
              xlim=(0.0, 1.05 * np.sqrt(s.dimension / 2))),
        compare("radius", "The binary net is robust up to sqrt(d/k): median certified distance over it.",
                np.median(lower) / ideal, "=", 0.99, within=0.03),
        compare("certified", "Every one of these distances is exact (largest relative gap).",
                np.max((upper - lower) / np.maximum(upper, 1e-300)), "<=", 1e-9),
        compare("cosine", "Neurons are averages: median cosine with a centre of their class is 1/sqrt(h).",
                np.median(cosines(average)), "=", 1.0 / np.sqrt(HALF), within=0.015),
        compare("every-cluster", "No cluster is left out: least cosine.", cosines(average).min(), ">=", 0.4),
        compare("attack-average", "On the binary net the attack finds the radius (its median over the exact one).",
                fooled[0], "=", 1.0, within=0.1),
        mistake("attack-features", "On the sum of features it finds the radius, too.", fooled[1], "=", 1.0, within=0.1),
        mistake("lazy-start", "From a start of scale 0.01 the radius is the same.",
                np.median(by_label(lazy, fresh, where, Net.distances)[0]) / ideal, "=", 0.99, within=0.03),
        mistake("thinned", "With one cluster thinned to 30 % none is left out.", cosines(thinned).min(), ">=", 0.4),
        mistake("missing", "With one cluster missing none is left out.", cosines(missing).min(), ">=", 0.4),
    ]  # fmt: skip


LAB = Lab(
    "feature-averaging",
    "Feature averaging: implicit bias of gradient descent and non-robustness (ICLR 2025, arXiv 2410.10322)",
    "certified radii of trained nets with sqrt(d/k), sqrt(d/2) and with an attack; a robust F1 game",
    (_trained, _thresholds, _game), (3.0, 8.0),
    Settings(dimension=3072, step=0.001, tested=1000, budgets=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5)),
)  # fmt: skip
