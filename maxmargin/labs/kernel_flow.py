"""Regression by a wide ReLU net of finite width: the kernel flow, and the 1/m constant of its distance from it.

f(x) = (1/sqrt(m)) sum_j a_j (w_j.x)_+, only w moves, |x| = 1, loss (1/n) |y - f|^2. In the limit the outputs on the
data are u(t) = (I - exp(-2 H t / n)) y; m E |u_m - u|^2 tends to V, which `variance` takes from single neurons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..conventions import Array, inputs
from ..features.directions import quasi_random_directions, random_directions
from ..features.kernels import arc_cosine
from ..plots.panels import dots, level, line, panel
from ..plots.style import F1, F2, MUTED
from ..theory.rates import exponent
from .shape import Items, Lab, compare, distance, halves, mistake

POINTS, DIMENSION = 40, 10
TIME, STEP = 60.0, 0.5  # of training


@dataclass(frozen=True)
class Settings:
    """Widths, seeds of the start, draws of one neuron for V, points of the risk's experiment."""

    widths: tuple[int, ...] = (64, 256, 1024)
    starts: int = 24
    draws: int = 4000
    floor_points: int = 400
    seed: int = 0


def kernel(X: Array, Y: Array) -> Array:
    """H: x.x' (pi - angle) / (2 pi) for unit rows, the mean over Gaussian w of x.x' 1{w.x > 0, w.x' > 0}."""
    return X @ Y.T * arc_cosine(X, Y, degree=0)


def modes(X: Array, y: Array) -> tuple[Array, Array, Array]:
    """lam / n, Q and Q'y for the kernel H = Q diag(lam) Q' of points X (n, d) with targets y (n,)."""
    lam, Q = np.linalg.eigh(kernel(X, X))
    return lam / len(y), Q, Q.T @ y


def variance(X: Array, y: Array, t: float, draws: int, rng: np.random.Generator) -> tuple[float, float]:
    """V = 2 tr Cov_w z(w) from single neurons, and its standard error; z = -(Phi o (Q' G(w) Q)) Q'y.

    G(w)_ij = x_i.x_j 1{w.x_i, w.x_j > 0}; Phi holds the divided differences of exp(-2 lam t / n) in lam.
    """
    (lam, Q, q), (n, d) = modes(X, y), X.shape
    decay, same = np.exp(-2.0 * lam * t), np.eye(n) > 0
    quotients = (decay[:, None] - decay) / np.where(same, 1.0, n * (lam[:, None] - lam))
    Phi = np.where(same, -2.0 * t / n * decay, quotients)
    on = (rng.standard_normal((draws, d)) @ X.T > 0).astype(float)
    z = np.zeros((draws, n))
    for column in X.T:  # G is a sum of one matrix of rank 1 a coordinate
        features = (on * column) @ Q
        z -= features * ((features * q) @ Phi)
    squares = ((z - z.mean(axis=0)) ** 2).sum(axis=1)
    return 2.0 * float(squares.mean()), 2.0 * float(squares.std()) / np.sqrt(draws)


def train(X: Array, y: Array, m: int, seed: int, *, mirrored: bool = True, both: bool = False) -> Array:
    """Outputs of a trained net; mirrored pairs of neurons make them zero at the start; `both`: a moves, too."""
    rng, half, scale = np.random.default_rng(seed), m // 2 if mirrored else m, 1.0 / np.sqrt(m)
    W, a = rng.standard_normal((half, X.shape[1])), rng.choice([-1.0, 1.0], size=half)
    if mirrored:
        W, a = np.vstack([W, W]), np.concatenate([a, -a])
    for _ in range(round(TIME / STEP)):
        U = X @ W.T
        active = np.maximum(U, 0.0)
        r = STEP * scale * 2.0 / len(y) * (y - scale * active @ a)
        W, a = W + ((U > 0) * r[:, None]).T @ X * a[:, None], a + both * (active.T @ r)
    return scale * np.maximum(X @ W.T, 0.0) @ a


def _width(s: Settings) -> Items:
    """Error against width with its constant, and mistakes that must show."""
    rng = np.random.default_rng(s.seed)
    X = random_directions(POINTS, DIMENSION, rng)
    y = np.sin(2.0 * X[:, 0]) + 2.0 * X[:, 1] * X[:, 2] + rng.uniform(-0.3, 0.3, POINTS)
    (lam, Q, q), (V, error) = modes(X, y), variance(X, y, TIME, s.draws, rng)
    u, slow = (Q @ ((1.0 - np.exp(-rate * lam * TIME)) * q) for rate in (2.0, 1.0))
    descended = [Q @ ((1.0 - (1.0 - 2.0 * h * lam) ** round(TIME / h)) * q) for h in (STEP, STEP / 2)]

    def scaled(m: int, starts: int = 4, wanted: Array = u, **how: bool) -> Array:
        return m * np.array([np.sum((train(X, y, m, seed, **how) - wanted) ** 2) for seed in range(starts)])

    m, found = np.array(s.widths), np.array([scaled(width, s.starts) for width in s.widths])
    means, widest = found.mean(axis=1), s.widths[-1]
    return [
        panel("Distance from the kernel flow",
              line(m, np.sqrt(found / m[:, None]), MUTED, style=".", markersize=3),
              dots(m, np.sqrt(means / m), F1, "trained nets (rms)"),
              line(m, np.sqrt(V / m), label="predicted $\\sqrt{V/m}$", style="--"),
              below="on the data; the constant comes from one neuron, nothing is fitted", xlabel="width m", log="xy"),
        compare("width-slope", "The distance from the kernel flow falls like m^(-1/2) (exponent of its rms).",
                exponent(m, np.sqrt(means / m)), "=", -0.5, within=0.1),
        compare("width-constant", "The constant, m E|u_m - u|^2, is V of one neuron (largest width).",
                means[-1], "=", V, within=0.25 * V, note=f"by width {np.round(means, 2)}, V = {V:.3f} +- {error:.3f}"),
        halves("The distance of descent from the flow of the kernel", [distance(v, u) for v in descended]),
        mistake("half-constant", "The constant is V / 2: all m neurons of the mirrored pairs are independent.",
                means[-1], "=", V / 2.0, within=0.125 * V),
        mistake("no-mirror", "A start with an output of its own has the same constant.",
                scaled(widest, mirrored=False).mean(), "=", V, within=0.25 * V),
        mistake("both-layers", "Training both layers has the same limit and constant.",
                scaled(widest, both=True).mean(), "=", V, within=0.25 * V),
        mistake("half-rate", "The rate is 1/n for 2/n.", scaled(widest, wanted=slow).mean(), "=", V, within=0.25 * V),
    ]  # fmt: skip


def _floor(s: Settings) -> Items:
    """H is linear plus even in x.x', so that odd harmonics of degree >= 3 are invisible without a bias."""
    rng, times, floor = np.random.default_rng(s.seed), np.geomspace(1.0, 1e5, 60), 1.0 / 16.0

    def excess(bias: bool) -> Array:
        """Excess risk for f* = sign(x_1) / 2 + x_2 over S^2, noise U[-.3, .3]."""
        X, fresh = random_directions(s.floor_points, 3, rng), quasi_random_directions(4096, 3, rng)
        target, truth = (0.5 * np.sign(Z[:, 0]) + Z[:, 1] for Z in (X, fresh))
        y = target + rng.uniform(-0.3, 0.3, len(X))
        X, fresh = (inputs(points, bias) / np.sqrt(1.0 + bias) for points in (X, fresh))
        lam, Q, q = modes(X, y)
        learnt = Q @ (-np.expm1(-2.0 * np.outer(lam, times)) * (q / (len(y) * lam))[:, None])
        return ((kernel(fresh, X) @ learnt - truth[:, None]) ** 2).mean(axis=0)

    plain, biased = excess(False), excess(True)
    return [
        panel("Excess risk of the kernel flow",
              line(times, plain, F2, "without a bias"), line(times, biased, F1, "with a bias"),
              level(floor, "floor without a bias"),
              below="target sign(x$_1$)/2 + x$_2$ on the sphere of three dimensions",
              xlabel="flow time", log="x", ylim=(0.0, 0.3)),
        compare("floor", "Without a bias the odd part of f* beyond degree 1 stays: excess risk >= 1/16 at all times.",
                plain.min(), ">=", floor, within=0.003),
        mistake("floor-bias", "With a bias coordinate it stays, too.", biased.min(), ">=", floor, within=0.003),
    ]  # fmt: skip


LAB = Lab(
    "kernel-flow", "Benign overfitting for regression with trained two-layer ReLU networks (arXiv 2410.06191)",
    "trained nets of finite width with the kernel flow and the 1/m constant of their distance from it",
    (_width, _floor), (2.0, 8.0), Settings(widths=(64, 256, 1024, 4096), starts=48, draws=20000, floor_points=1600),
)  # fmt: skip
