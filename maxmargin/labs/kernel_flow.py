"""Regression by a wide ReLU net of finite width: the kernel flow, and the 1/m constant of its distance from it.

f(x) = (1/sqrt(m)) sum_j a_j (w_j.x)_+, only w moves, mirrored pairs so that f = 0 at the start, |x| = 1, loss
(1/n) |y - f|^2. In the limit the outputs on the data are u(t) = (I - exp(-2 H t / n)) y, H(x, x') = x.x' (pi - angle) /
(2 pi). To first order in 1/sqrt(m) a net has the kernel of its own m / 2 independent neurons, hence (derived here)

    m E |u_m - u|^2 -> V = 2 tr Cov_w z(w),  z(w) = -(Phi o (Q' G(w) Q)) Q' y,  G(w)_ij = x_i.x_j 1{w.x_i, w.x_j > 0},

with H = Q diag(lam) Q' and Phi the divided differences of exp(-2 lam t / n): the derivative of the matrix exponential.
H(x, x') is linear plus even in x.x', so that odd harmonics of degree >= 3 are invisible: a floor of the excess risk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..plots.style import F1, F2, INK, MUTED
from .panels import finish, two_panels
from .shape import Lab, LabResult, compare

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """n points on S^{d-1}, flow time, Euler step, widths, seeds of the start, draws of one neuron for V."""

    points: int = 40
    dimension: int = 10
    time: float = 60.0
    step: float = 0.5
    widths: tuple[int, ...] = (64, 256, 1024)
    starts: int = 24
    draws: int = 4000
    floor_points: int = 400
    seed: int = 0


def sphere(n: int, d: int, rng: np.random.Generator) -> Array:
    """Uniform points."""
    X = rng.standard_normal((n, d))
    return X / np.linalg.norm(X, axis=1)[:, None]


def kernel(X: Array, Y: Array) -> Array:
    """x.x' (pi - angle) / (2 pi) for unit rows: E over Gaussian w of x.x' 1{w.x > 0, w.x' > 0}."""
    cosine = np.clip(X @ Y.T, -1.0, 1.0)
    return cosine * (np.pi - np.arccos(cosine)) / (2.0 * np.pi)


@dataclass(frozen=True)
class Flow:
    """The kernel flow on the data: H = Q diag(lam) Q', targets in that basis."""

    lam: Array
    Q: Array
    q: Array

    @classmethod
    def of(cls, X: Array, y: Array) -> Flow:
        """The flow on the points X (n, d) with targets y (n,)."""
        lam, Q = np.linalg.eigh(kernel(X, X))
        return cls(lam, Q, Q.T @ y)

    def outputs(self, t: float, rate: float = 2.0) -> Array:
        """u(t)."""
        return self.Q @ (-np.expm1(-rate * self.lam * t / len(self.q)) * self.q)

    def coefficients(self, t: float) -> Array:
        """c with f_t = sum_i c_i H(., x_i)."""
        return self.Q @ (-np.expm1(-2.0 * self.lam * t / len(self.q)) / self.lam * self.q)

    def variance(self, X: Array, t: float, draws: int, rng: np.random.Generator) -> tuple[float, float]:
        """V(t) from `draws` single neurons, and its standard error."""
        n, lam = len(self.q), self.lam
        decay, same = np.exp(-2.0 * lam * t / n), -2.0 * t / n * np.exp(-2.0 * lam * t / n)
        gap = lam[:, None] - lam + np.eye(n)
        Phi = np.where(np.eye(n) > 0, same, (decay[:, None] - decay) / gap)
        on = (rng.standard_normal((draws, X.shape[1])) @ X.T > 0) @ np.eye(n)
        # Q' G(w) Q with G = sum over coordinates of (x_c o on)(x_c o on)': one rank a coordinate, never stored whole.
        z = np.zeros((draws, n))
        for c in range(X.shape[1]):
            part = (on * X[:, c]) @ self.Q
            z -= part * ((part * self.q) @ Phi)
        squares = ((z - z.mean(axis=0)) ** 2).sum(axis=1)
        return 2.0 * float(squares.mean()), 2.0 * float(squares.std()) / np.sqrt(draws)


def train(
    X: Array, y: Array, m: int, settings: Settings, seed: int, *, mirrored: bool = True, both: bool = False
) -> Array:
    """Outputs on the data at the final time, by descent with the step of the settings."""
    rng, n = np.random.default_rng(seed), len(y)
    half = m // 2 if mirrored else m
    W, a = rng.standard_normal((half, X.shape[1])), rng.choice([-1.0, 1.0], size=half)
    if mirrored:
        W, a = np.vstack([W, W]), np.concatenate([a, -a])
    for _ in range(round(settings.time / settings.step)):
        H = X @ W.T
        active = np.maximum(H, 0.0)
        r = 2.0 / n * (y - active @ a / np.sqrt(m))
        pull = settings.step / np.sqrt(m) * (active.T @ r)
        W = W + settings.step / np.sqrt(m) * ((H > 0) * r[:, None]).T @ X * a[:, None]
        a = a + pull * both
    return np.maximum(X @ W.T, 0.0) @ a / np.sqrt(m)


def kernel_descent(X: Array, y: Array, time: float, step: float) -> Array:
    """The limit with descent in place of the flow."""
    H, u = kernel(X, X), np.zeros(len(y))
    for _ in range(round(time / step)):
        u = u + step * 2.0 / len(y) * H @ (y - u)
    return u


def excess(n: int, rng: np.random.Generator, bias: bool) -> Array:
    """Excess risk over flow time of the kernel flow on f* = sign(x_1) / 2 + x_2 over S^2, noise U[-.3, .3]."""
    X, fresh = sphere(n, 3, rng), sphere(4000, 3, rng)
    truth, target = (0.5 * np.sign(Z[:, 0]) + Z[:, 1] for Z in (fresh, X))
    y = target + rng.uniform(-0.3, 0.3, n)
    if bias:
        X, fresh = (np.column_stack([Z, np.ones(len(Z))]) / np.sqrt(2.0) for Z in (X, fresh))
    flow, across = Flow.of(X, y), kernel(fresh, X)
    return np.array([np.mean((across @ flow.coefficients(t) - truth) ** 2) for t in np.geomspace(1.0, 1e5, 60)])


def run(settings: Settings) -> LabResult:
    """Error against width, its constant, mistakes that must show, and the floor."""
    rng, s = np.random.default_rng(settings.seed), settings
    X = sphere(s.points, s.dimension, rng)
    y = np.sin(2.0 * X[:, 0]) + 2.0 * X[:, 1] * X[:, 2] + rng.uniform(-0.3, 0.3, s.points)
    flow, T = Flow.of(X, y), s.time
    u, (V, error) = flow.outputs(T), flow.variance(X, T, s.draws, rng)
    squares = np.array([[np.sum((train(X, y, m, s, seed) - u) ** 2) for seed in range(s.starts)] for m in s.widths])
    scaled = np.array(s.widths) * squares.mean(axis=1)
    slope = np.polyfit(np.log(s.widths), 0.5 * np.log(squares.mean(axis=1)), 1)[0]
    few, m = range(4), s.widths[-1]
    start, layers = (m * np.mean([np.sum((train(X, y, m, s, seed, **mistake) - u) ** 2) for seed in few])
                     for mistake in ({"mirrored": False}, {"both": True}))  # fmt: skip
    slow = m * np.mean([np.sum((train(X, y, m, s, seed) - flow.outputs(T, 1.0)) ** 2) for seed in few])
    steps = [float(np.linalg.norm(kernel_descent(X, y, T, h) - u)) for h in (s.step, s.step / 2)]
    plain, biased = (excess(s.floor_points, rng, bias) for bias in (False, True))
    findings = (
        compare("width-slope",
                "The distance from the kernel flow falls like m^(-1/2) (exponent of its root mean square).",
                slope, "=", -0.5, within=0.1),
        compare("width-constant", "The constant, m E|u_m - u|^2, is V of one neuron (largest width).",
                scaled[-1], "=", V, within=0.25 * V,
                note=f"by width {np.round(scaled, 2)}, V = {V:.3f} +- {error:.3f}"),
        compare("step-order", "The distance of descent from the flow of the kernel halves with the step.",
                steps[0] / steps[1], "=", 2.0, within=0.1),
        compare("half-constant", "The constant is V / 2: all m neurons of the mirrored pairs are independent.",
                scaled[-1], "=", V / 2.0, within=0.125 * V, broken=True),
        compare("no-mirror", "A start with an output of its own has the same constant.",
                start, "=", V, within=0.25 * V, broken=True),
        compare("both-layers", "Training both layers has the same limit and constant.",
                layers, "=", V, within=0.25 * V, broken=True),
        compare("half-rate", "The rate is 1/n for 2/n.",
                slow, "=", V, within=0.25 * V, broken=True),
        compare("floor", "Without a bias the odd part of f* beyond degree 1 stays: excess risk >= 1/16 at all times.",
                plain.min(), ">=", 1.0 / 16.0, within=0.003),
        compare("floor-bias", "With a bias coordinate it stays, too.",
                biased.min(), ">=", 1.0 / 16.0, within=0.003, broken=True),
    )  # fmt: skip
    arrays = {"widths": np.array(s.widths), "squares": squares, "V": V, "plain": plain, "biased": biased}
    return LabResult(findings, arrays)


def figure(result: LabResult) -> Figure:
    """Left: distance against width on the line of predicted height. Right: excess risk over time and its floor."""
    (drawing, left, right), a = two_panels(), result.arrays
    for m, squares in zip(a["widths"], a["squares"], strict=True):
        left.plot(np.full(len(squares), m), np.sqrt(squares), ".", color=MUTED, markersize=3)
    left.plot(a["widths"], np.sqrt(a["squares"].mean(axis=1)), "o", color=F1, label="trained nets (rms)")
    left.plot(a["widths"], np.sqrt(a["V"] / a["widths"]), "--", color=INK, label="predicted $\\sqrt{V/m}$")
    about = "on the data; the constant comes from one neuron, nothing is fitted"
    finish(left, "Distance from the kernel flow", about, x="width m", log="xy")
    t = np.geomspace(1.0, 1e5, len(a["plain"]))
    right.plot(t, a["plain"], color=F2, label="without a bias")
    right.plot(t, a["biased"], color=F1, label="with a bias")
    right.axhline(1.0 / 16.0, color=MUTED, linestyle="--", linewidth=1.2, label="floor without a bias")
    right.set_ylim(0.0, 0.3)
    about = "target sign(x$_1$)/2 + x$_2$ on the sphere of three dimensions"
    finish(right, "Excess risk of the kernel flow", about, x="flow time", log="x")
    return drawing


LAB = Lab(
    name="kernel-flow",
    paper="Benign overfitting for regression with trained two-layer ReLU networks (arXiv 2410.06191)",
    compares="trained nets of finite width with the kernel flow and the 1/m constant of their distance from it",
    smoke=Settings(),
    full=Settings(widths=(64, 256, 1024, 4096), starts=48, draws=20000, floor_points=1600),
    seconds=(2.0, 8.0),
    run=run,
    figure=figure,
)
