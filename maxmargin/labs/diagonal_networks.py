"""Diagonal and convolutional linear networks: the start's size decides which norm the flow minimises.

beta = w_+^D - w_-^D (entrywise), both weights alpha at the start. Along the flow of any loss of X beta, beta minimises
the potential Q(b) = alpha^D sum_j q(b_j / alpha^D) among all b with X b = X beta; the trained weights carry the
multipliers that prove it. A circular convolution beta = u * v has its own norm and its own max-margin game.

D = 2:  q(z) = 2 - sqrt(4 + z^2) + z arcsinh(z / 2),   h = (q')^-1 = 2 sinh,   B = integral of h = 2 cosh - 2
D > 2:  h(u) = (1 - u)^(-D/(D-2)) - (1 + u)^(-D/(D-2)) on (-1, 1)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from scipy.optimize import minimize, nnls
from scipy.special import softmax

from ..plots.style import F1, F2, INK, MUTED
from .bench import Array, distance, flow_until, level, line, panel
from .linear_games import LinearGame
from .shape import Items, Lab, compare, halves, mistake

ALPHAS = (1e-3, 0.1, 1.0, 10.0, 100.0)  # starts of classification
OFFSETS = ((2, -14), (6, -8), (6, 2), (6, 6), (-22, 6))  # of their names in the figure, in points
REACH = 300.0  # arguments of sinh and cosh beyond which float64 is left


@dataclass(frozen=True)
class Potential:
    """h = (q')^-1, its slope, and B = integral of h from 0, for unit alpha."""

    D: int

    def h(self, u: Array) -> Array:
        """The inverse function of q'."""
        if self.D == 2:
            return 2.0 * np.sinh(u)
        k = -self.D / (self.D - 2)
        return (1.0 - u) ** k - (1.0 + u) ** k

    def slope(self, u: Array) -> Array:
        """h'."""
        if self.D == 2:
            return 2.0 * np.cosh(u)
        k = -self.D / (self.D - 2)
        return -k * ((1.0 - u) ** (k - 1) + (1.0 + u) ** (k - 1))

    def B(self, u: Array) -> Array:
        """The integral of h; infinite if one of the arguments is outside the domain."""
        if np.abs(u).max() >= (1.0 if self.D > 2 else REACH):
            return np.full_like(u, np.inf)
        k = -2 / (self.D - 2) if self.D > 2 else 0.0
        return 2.0 * np.cosh(u) - 2.0 if self.D == 2 else ((1.0 - u) ** k + (1.0 + u) ** k - 2.0) / -k


def q(z: Array) -> Array:
    """q of D = 2: 2 - sqrt(4 + z^2) + z arcsinh(z / 2)."""
    return 2.0 - np.sqrt(4.0 + z * z) + z * np.arcsinh(z / 2.0)


def interpolant(X: Array, y: Array, alpha: float, D: int, near: Array | None = None) -> Array:
    """argmin Q(beta) s.t. X beta = y, by damped Newton on the dual; `near`: the solution of another alpha, D = 2."""
    potential, target = Potential(D), y / alpha**D
    first = 0.0 * X[0] if near is None else np.arcsinh(near / (2.0 * alpha**2))
    nu = np.linalg.lstsq(X.T, first, rcond=None)[0]

    def dual(nu: Any) -> float:
        return float(target @ nu - potential.B(nu @ X).sum())

    for _ in range(500):
        gradient = target - X @ potential.h(nu @ X)
        step, t = np.linalg.solve((X * potential.slope(nu @ X)) @ X.T, gradient), 1.0
        while t > 1e-12 and dual(nu + t * step) < dual(nu) + 0.25 * t * (gradient @ step):
            t *= 0.5
        if t <= 1e-12 or np.linalg.norm(gradient) <= 1e-13 * np.linalg.norm(target):  # only rounding is left
            break
        nu = nu + t * step
    return alpha**D * potential.h(nu @ X)


def certificate(Z: Array, alpha: float, beta: Array) -> tuple[float, float, float]:
    """Lower end of min {Q(b) : Z b >= gamma}, Q(beta), and what no nu >= 0 explains of arcsinh(beta / 2 alpha^2).

    The lower end is gamma sum_i nu_i - alpha^2 sum_j (2 cosh(z^j.nu) - 2) for gamma = min_i z_i.beta and any nu >= 0.
    """
    s = np.arcsinh(beta / (2.0 * alpha**2))
    nu, residual = nnls(Z.T, s)
    lower = float((Z @ beta).min() * nu.sum() - alpha**2 * Potential(2).B(nu @ Z).sum())
    return lower, float(alpha**2 * q(beta / alpha**2).sum()), float(residual / np.linalg.norm(s))


def program(Z: Array, gamma: float) -> Array:
    """argmin Q(beta) s.t. Z beta >= gamma, alpha = 1, from its dual over nu >= 0, decade by decade of gamma."""

    def dual(nu: Array, level: float) -> tuple[float, Array]:
        u = np.clip(nu @ Z, -REACH, REACH)
        return float((2.0 * np.cosh(u) - 2.0).sum() / level - nu.sum()), Z @ (2.0 * np.sinh(u)) / level - 1.0

    nu, decades = np.zeros(len(Z)), max(2, int(np.log10(max(gamma, 1.0))) + 2)
    how = {"method": "L-BFGS-B", "bounds": [(0.0, None)] * len(Z), "options": {"ftol": 1e-15, "gtol": 1e-9}}
    for most in np.geomspace(min(1.0, gamma), gamma, decades):
        nu = minimize(dual, nu, args=(most,), jac=True, **how).x
    return 2.0 * np.sinh(nu @ Z)


@dataclass(frozen=True)
class Settings:
    """Regression: depths D and starts alpha. Classification: margin at which it ends. Convolution: steps."""

    seed: int = 0
    cases: tuple[tuple[int, float], ...] = ((2, 0.1), (3, 0.1), (4, 0.5))
    margin: float = 300.0
    steps: int = 4000


def regress(X: Array, y: Array, alpha: float, D: int) -> Array:
    """beta where the flow of the weights (w_+, w_-) has brought the residual to 1e-10 of the labels."""

    def residual(w: Array) -> Array:
        return y - X @ (w[0] ** D - w[1] ** D)

    def field(w: Array) -> Array:
        g = D * (residual(w) @ X)
        return np.array([g, -g]) * w ** (D - 1)

    start, size = np.full((2, X.shape[1]), alpha), np.linalg.norm(y)
    end = flow_until(field, start, lambda w: float(np.linalg.norm(residual(w)) / size), method="LSODA", atol=1e-14)
    return end[0] ** D - end[1] ** D


def classify(Z: Array, alpha: float, margin: float, step: float, decay: float = 0.0) -> list[Array]:
    """Gradient descent on the log of the exponential loss, D = 2, until min_i z_i.beta >= margin; beta every so often.

    The step is at most `step` and moves no margin by more than `step`.
    """
    plus = minus = np.full(Z.shape[1], alpha)
    path, record = [], 1e-3
    for _ in range(200_000):
        beta = plus**2 - minus**2
        margins = Z @ beta
        if margins.min() >= min(record, margin):
            path.append(beta)
            record = margins.min() * 1.15
        if margins.min() >= margin:
            break
        g = softmax(-margins) @ Z
        h = step / max(1.0, float(np.abs(Z @ (4.0 * g * (plus**2 + minus**2))).max()))
        plus, minus = plus * (1.0 + 2.0 * h * g - h * decay), minus * (1.0 - 2.0 * h * g - h * decay)
    return path


def convolve(game: LinearGame, rng: np.random.Generator, steps: int) -> tuple[Array, Array]:
    """Train beta = u * v by normalised descent with step 0.3 / sqrt(t); margin over norm at each step, best beta."""
    d = game.Z.shape[1]
    (u, v), path = 0.1 * rng.standard_normal((2, d)), np.empty((steps, d))
    for t in range(steps):
        U, V = np.fft.rfft(u), np.fft.rfft(v)
        path[t] = np.fft.irfft(U * V, d)
        G = np.fft.rfft(softmax(-game.Z @ path[t]) @ game.Z)
        du, dv = np.fft.irfft(G * np.conj(V), d), np.fft.irfft(G * np.conj(U), d)
        size = 0.3 / np.sqrt(t + 1.0) * np.linalg.norm([u, v]) / np.linalg.norm([du, dv])
        u, v = u + size * du, v + size * dv
    trace = np.array([game.margin(beta) for beta in path])
    return trace, path[trace.argmax()]


def _regression(s: Settings) -> Items:
    from scipy.optimize import linprog

    rng, d = np.random.default_rng(s.seed), 30
    X = rng.standard_normal((8, d))
    y = X[:, :3].sum(axis=1) / np.sqrt(3.0) + 0.1 * rng.standard_normal(8)
    errors = np.empty((len(s.cases), 2))
    for row, (D, alpha) in enumerate(s.cases):
        found = regress(X, y, alpha, D)
        errors[row] = [distance(interpolant(X, y, alpha, depth), found) for depth in (D, D + 1)]
    l1, l2 = linprog(np.ones(2 * d), A_eq=np.hstack([X, -X]), b_eq=y).fun, np.linalg.norm(np.linalg.pinv(X) @ y)
    rich, lazy = min((4.0 * l1) ** -1.5, np.exp(-d / l1)), np.sqrt(2.0 * 1.1 * 21.0 * l2)
    beta = interpolant(X, y, 1.0, 2)
    for alpha in np.geomspace(1.0, rich, 100):
        beta = interpolant(X, y, alpha, 2, near=beta)
    small = np.abs(beta).sum() / l1 - 1.0
    large = ((np.linalg.norm(interpolant(X, y, lazy, 2)) / l2) ** 2 - 1.0) / 0.1
    return [
        compare("trained-limit", "The trained network is the interpolant of least Q.",
                errors[:, 0].max(), "=", 0.0, within=1e-8),
        mistake("wrong-depth", "The Q of depth D + 1 describes depth D.", errors[:, 1].min(), "=", 0.0, within=1e-8),
        compare("small-or-large-start",
                "Theorem 2: its small start is within 1 + e of the least l1 norm, e = 1, its large one of l2, e = 0.1.",
                max(small, large), "<=", 1.0, note=f"excess over e: l1 {small:.1e}, l2 {large:.1e}"),
    ]  # fmt: skip


def _classification(s: Settings) -> Items:
    Z = np.random.default_rng(s.seed + 1).standard_normal((10, 20))
    games = [LinearGame(Z, "l1"), LinearGame(Z, "l2")]
    best = [game.solve()[2].upper for game in games]

    def place(beta: Array) -> list[float]:
        return [game.margin(beta) / most for game, most in zip(games, best, strict=True)]

    paths = {alpha: classify(Z, alpha, s.margin, 0.05) for alpha in ALPHAS}
    ends, slacks = {alpha: place(path[-1]) for alpha, path in paths.items()}, []
    for alpha, path in paths.items():
        lower, Q, _ = certificate(Z, alpha, path[-1])
        least = alpha**2 * float(q(program(Z, (Z @ path[-1]).min() / alpha**2)).sum())
        slacks += [(least - lower) / Q, (Q - least) / Q]
    last = paths[1.0][-1]
    lower, Q, residual = certificate(Z, 1.0, last)
    rough = certificate(Z, 1.0, classify(Z, 1.0, s.margin, 0.1)[-1])[2]
    decayed = certificate(Z, 1.0, classify(Z, 1.0, s.margin / 10.0, 0.05, decay=0.01)[-1])[2]
    curve = np.array([place(program(Z, gamma)) for gamma in np.logspace(-2, 8, 60)])

    def draw(axes: Axes) -> None:
        for (alpha, path), offset in zip(paths.items(), OFFSETS, strict=True):
            x, y = np.array([place(beta) for beta in path]).T
            margins = [(Z @ beta).min() for beta in path]
            points = axes.scatter(x, y, c=margins, s=16, norm="log", cmap="viridis", zorder=3)
            axes.annotate(f"{alpha:g}", (x[-1], y[-1]), offset, textcoords="offset points", color=MUTED, fontsize=9)
        axes.figure.colorbar(points, ax=axes, label="log(1 / loss), about")

    return [
        panel("One path for each start alpha",
              line(curve[:, 0], curve[:, 1], INK, "program, from l2 (top) to l1 (right)"),
              draw, xlabel="l1 margin / max", ylabel="l2 margin / max", xlim=(0.3, 1.05), ylim=(0.3, 1.05),
              legend="lower right"),
        compare("certificate", "The trained weights prove lower <= min Q <= Q(beta): least relative slack.",
                min(slacks), ">=", 0.0, within=1e-6),
        compare("certified-gap", "At alpha = 1 the certificate from the weights has closed to 2 % at the end.",
                1.0 - lower / Q, "<=", 0.02),
        compare("geometry", "A sum of z_i with weights >= 0 explains arcsinh(beta / 2 alpha^2), up to (relative).",
                residual, "=", 0.0, within=1e-3),
        halves("What descent misses of that sum", [rough, residual], 0.2),
        mistake("wrong-start", "Such a sum explains it with the doubled start.",
                certificate(Z, 2.0, last)[2], "=", 0.0, within=1e-3),
        mistake("weight-decay", "Such a sum explains it with weight decay 0.01.", decayed, "=", 0.0, within=1e-3),
        compare("l1-end", "The smallest start comes near the l1 max margin (fraction).",
                ends[ALPHAS[0]][0], ">=", 0.85),
        compare("l2-end", "The largest start comes near the l2 max margin (fraction).",
                ends[ALPHAS[-1]][1], ">=", 0.99),
        mistake("not-l2", "The smallest start comes near the l2 max margin, too.", ends[ALPHAS[0]][1], ">=", 0.99),
    ]  # fmt: skip


def _convolution(s: Settings) -> Items:
    rng = np.random.default_rng(s.seed)
    Z = rng.standard_normal((10, 16))
    dft, l2 = LinearGame(Z, "dft"), LinearGame(Z, "l2")
    bracket, (euclidean, _, flat) = dft.solve()[2], l2.solve()
    trace, best = convolve(dft, rng, s.steps)
    reached = dft.margin(best) / bracket.upper
    return [
        panel("A convolution has its own norm",
              line(1 + np.arange(len(trace)), trace / bracket.upper, F1, "convolution"),
              level(1.0, "max margin of the Fourier norm (both ends)", INK),
              level(dft.margin(euclidean) / bracket.upper, "l2 solution", F2),
              xlabel="step", log="x", legend="lower right",
              ylabel="margin in the Fourier norm / max", ylim=(0.5, 1.05)),
        compare("games", "Column generation closes the game of the Fourier norm (relative gap).",
                bracket.relative_gap, "=", 0.0, within=1e-8, note=f"[{bracket.lower:.9f}, {bracket.upper:.9f}]"),
        compare("convolution", "The convolution comes near the max margin of its norm.", reached, ">=", 0.99),
        compare("convolution-bound", "The convolution does not pass the proved end.", reached, "<=", 1.0, within=1e-12),
        mistake("convolution-l2", "The convolution comes near the l2 max margin, too.",
                l2.margin(best) / flat.upper, ">=", 0.99),
    ]  # fmt: skip


LAB = Lab(
    "diagonal-networks", "Woodworth et al., kernel and rich regimes (COLT 2020)",
    "trained diagonal nets with the program of least Q, a convolution with the max margin of its Fourier norm",
    (_regression, _classification, _convolution), (3.0, 8.0),
    Settings(cases=((2, 0.01), (2, 0.1), (2, 0.5), (3, 0.01), (3, 0.1), (3, 0.5), (4, 0.1), (4, 0.5)),
             margin=1000.0, steps=40_000),
)  # fmt: skip
