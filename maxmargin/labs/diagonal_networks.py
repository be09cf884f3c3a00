"""Diagonal and convolutional linear networks: the start's size decides which norm the flow minimises.

beta = w_+^D - w_-^D (entrywise), both weights alpha at the start. Along the flow of any loss of X beta, beta minimises
the potential Q(b) = alpha^D sum_j q(b_j / alpha^D) among all b with X b = X beta; the trained weights carry the
multipliers that prove it. A circular convolution beta = u * v has its own norm and its own max-margin game.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog, minimize, nnls
from scipy.special import softmax

from ..conventions import Array
from ..flow.fields import flow_until
from ..games.linear import LinearGame
from ..plots.panels import level, line, mark, panel
from ..plots.style import F1, F2, INK, MUTED
from ..solvers.linear import linear_max_margin
from .shape import Items, Lab, compare, distance, halves, mistake

STARTS = {1e-3: (2, -14), 0.1: (6, -8), 1.0: (6, 2), 10.0: (6, 6), 100.0: (-22, 6)}  # alpha; offset of its name
REACH = 300.0  # arguments of sinh and cosh beyond which float64 is left


@dataclass(frozen=True)
class Potential:
    """h = (q')^-1, its slope, and its integral B from 0, for unit alpha.

    D = 2: h(u) = 2 sinh u. D > 2: h(u) = (1 - u)^-k - (1 + u)^-k on (-1, 1), k = D / (D - 2).
    """

    D: int

    def h(self, u: Array) -> Array:
        """The inverse function of q'."""
        return 2.0 * np.sinh(u) if self.D == 2 else (1.0 - u) ** -self._k - (1.0 + u) ** -self._k

    def slope(self, u: Array) -> Array:
        """h'."""
        k = self._k + 1.0
        return 2.0 * np.cosh(u) if self.D == 2 else self._k * ((1.0 - u) ** -k + (1.0 + u) ** -k)

    def B(self, u: Array) -> Array:
        """The integral of h; infinite if one of the arguments is outside the domain."""
        if np.abs(u).max() >= (1.0 if self.D > 2 else REACH):
            return np.full_like(u, np.inf)
        k = self._k - 1.0
        return 4.0 * np.sinh(u / 2.0) ** 2 if self.D == 2 else ((1.0 - u) ** -k + (1.0 + u) ** -k - 2.0) / k

    @property
    def _k(self) -> float:
        return self.D / (self.D - 2) if self.D > 2 else np.inf


def q(z: Array) -> Array:
    """q of D = 2: 2 - sqrt(4 + z^2) + z arcsinh(z / 2), without its cancellation for small z."""
    return z * np.arcsinh(z / 2.0) - z * z / (2.0 + np.sqrt(4.0 + z * z))


def interpolant(X: Array, y: Array, alpha: float, D: int) -> Array:
    """argmin Q(beta) s.t. X beta = y, by damped Newton on the dual from 0, for D = 2 from the least l2 norm."""
    potential, target, inverse = Potential(D), y / alpha**D, np.linalg.pinv(X)
    nu = np.arcsinh(inverse @ target / 2.0) @ inverse if D == 2 else np.zeros(len(y))

    def dual(nu: Any) -> float:
        return float(target @ nu - potential.B(nu @ X).sum())

    for _ in range(500):
        gradient = target - X @ potential.h(nu @ X)
        step = np.linalg.solve((X * potential.slope(nu @ X)) @ X.T, gradient)
        enough = (t for t in 0.5 ** np.arange(40) if dual(nu + t * step) >= dual(nu) + 0.25 * t * (gradient @ step))
        t = next(enough, 0.0)
        if not t or np.linalg.norm(gradient) <= 1e-13 * np.linalg.norm(target):  # only rounding is left
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
        return float((4.0 * np.sinh(u / 2.0) ** 2).sum() / level - nu.sum()), Z @ (2.0 * np.sinh(u)) / level - 1.0

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

    def beta(w: Array) -> Array:
        return w[0] ** D - w[1] ** D

    def field(w: Array) -> Array:
        return np.outer([D, -D], (y - X @ beta(w)) @ X) * w ** (D - 1)

    start = np.full((2, X.shape[1]), alpha)
    return beta(flow_until(field, start, lambda w: distance(X @ beta(w), y), method="LSODA", atol=1e-14))


def classify(Z: Array, alpha: float, margin: float, step: float = 0.05, decay: float = 0.0) -> list[Array]:
    """Gradient descent on the log of the exponential loss, D = 2, until min_i z_i.beta >= margin; beta every so often.

    The step is at most `step` and moves no margin by more than `step`.
    """
    w, path, record = np.full((2, Z.shape[1]), alpha), [], 1e-3
    for _ in range(200_000):
        beta = w[0] ** 2 - w[1] ** 2
        margins = Z @ beta
        if margins.min() >= min(record, margin):
            path.append(beta)
            record = margins.min() * 1.15
        if margins.min() >= margin:
            break
        g = softmax(-margins) @ Z
        h = step / max(1.0, float(np.abs(Z @ (4.0 * g * (w**2).sum(axis=0))).max()))
        w = w * (1.0 + np.outer([2.0 * h, -2.0 * h], g) - h * decay)
    return path


def convolve(game: LinearGame, rng: np.random.Generator, steps: int) -> Array:
    """beta = u * v after each step 0.3 / sqrt(t) of normalised descent, (steps, d)."""
    d = game.Z.shape[1]
    w, path = 0.1 * rng.standard_normal((2, d)), np.empty((steps, d))  # rows u, v
    for t in range(steps):
        F = np.fft.rfft(w)
        path[t] = np.fft.irfft(F[0] * F[1], d)
        G = np.fft.irfft(np.fft.rfft(softmax(-game.Z @ path[t]) @ game.Z) * np.conj(F[::-1]), d)
        w = w + 0.3 / np.sqrt(t + 1.0) * np.linalg.norm(w) / np.linalg.norm(G) * G
    return path


def _regression(s: Settings) -> Items:
    rng, d = np.random.default_rng(s.seed), 30
    X = rng.standard_normal((8, d))
    y = X[:, :3].sum(axis=1) / np.sqrt(3.0) + 0.1 * rng.standard_normal(8)
    trained = [(D, alpha, regress(X, y, alpha, D)) for D, alpha in s.cases]
    right, wrong = ([distance(interpolant(X, y, alpha, D + k), b) for D, alpha, b in trained] for k in (0, 1))
    l1, l2 = linprog(np.ones(2 * d), A_eq=np.hstack([X, -X]), b_eq=y).fun, np.linalg.norm(np.linalg.pinv(X) @ y)
    rich, lazy = min((4.0 * l1) ** -1.5, np.exp(-d / l1)), np.sqrt(2.0 * 1.1 * 21.0 * l2)
    small = np.abs(interpolant(X, y, rich, 2)).sum() / l1 - 1.0
    large = ((np.linalg.norm(interpolant(X, y, lazy, 2)) / l2) ** 2 - 1.0) / 0.1
    return [
        compare("trained-limit", "The trained network is the interpolant of least Q.", max(right), within=1e-8),
        mistake("wrong-depth", "The Q of depth D + 1 describes depth D.", min(wrong), within=1e-8),
        compare("small-or-large-start", "Theorem 2: from its two starts a norm is least up to 1 + e (excess / e).",
                max(small, large), "<=", 1.0, note=f"l1, e = 1: {small:.1e}; l2, e = 0.1: {large:.1e}"),
    ]  # fmt: skip


def _classification(s: Settings) -> Items:
    Z = np.random.default_rng(s.seed + 1).standard_normal((10, 20))
    games = [(game, linear_max_margin(game)[2].upper) for game in (LinearGame(Z, "l1"), LinearGame(Z, "l2"))]

    def place(beta: Array) -> list[float]:
        return [game.margin(beta) / most for game, most in games]

    x, y = np.transpose([place(program(Z, gamma)) for gamma in np.logspace(-2, 8, 60)])
    ends, slacks, marks = dict[float, Array](), [], [line(x, y, INK, "program, from l2 (top) to l1 (right)")]
    for alpha, offset in STARTS.items():
        path = classify(Z, alpha, s.margin)
        ends[alpha], trace = path[-1], np.array([place(beta) for beta in path])
        lower, Q, _ = certificate(Z, alpha, path[-1])
        least = alpha**2 * float(q(program(Z, (Z @ path[-1]).min() / alpha**2)).sum())
        slacks += [(least - lower) / Q, (Q - least) / Q]
        colours, look = [(Z @ beta).min() for beta in path], {"textcoords": "offset points", "color": MUTED}
        marks += [mark("scatter", *trace.T, c=colours, s=16, norm="log", cmap="viridis", zorder=3),
                  mark("annotate", f"{alpha:g}", trace[-1], offset, fontsize=9, **look)]  # fmt: skip
    lower, Q, residual = certificate(Z, 1.0, ends[1.0])
    rough, decayed = classify(Z, 1.0, s.margin, 0.1)[-1], classify(Z, 1.0, s.margin / 10.0, decay=0.01)[-1]
    small, large = place(ends[1e-3]), place(ends[100.0])
    return [
        panel("One path for each start alpha", *marks,
              lambda axes: axes.figure.colorbar(axes.collections[-1], ax=axes, label="log(1 / loss), about"),
              xlabel="l1 margin / max", ylabel="l2 margin / max", xlim=(0.3, 1.05), ylim=(0.3, 1.05),
              legend="lower right"),
        compare("certificate", "The trained weights prove lower <= min Q <= Q(beta): least relative slack.",
                min(slacks), ">=", 0.0, within=1e-6),
        compare("certified-gap", "At alpha = 1 the certificate closes to 2 % at the end.", 1.0 - lower / Q, "<=", 0.02),
        compare("geometry", "A sum of the z_i with weights >= 0 gives arcsinh(beta / 2 alpha^2), up to (relative).",
                residual, within=1e-3),
        halves("What descent misses of that sum", [certificate(Z, 1.0, rough)[2], residual], 0.2),
        mistake("wrong-start", "The doubled start gives such a sum.", certificate(Z, 2.0, ends[1.0])[2], within=1e-3),
        mistake("weight-decay", "Weight decay 0.01 gives such a sum.", certificate(Z, 1.0, decayed)[2], within=1e-3),
        compare("l1-end", "The smallest start comes near the l1 max margin (fraction).", small[0], ">=", 0.85),
        compare("l2-end", "The largest start comes near the l2 max margin (fraction).", large[1], ">=", 0.99),
        mistake("not-l2", "The smallest start comes near the l2 max margin, too.", small[1], ">=", 0.99),
    ]  # fmt: skip


def _convolution(s: Settings) -> Items:
    rng = np.random.default_rng(s.seed)
    Z = rng.standard_normal((10, 16))
    dft, l2 = LinearGame(Z, "dft"), LinearGame(Z, "l2")
    bracket, (euclidean, _, flat) = linear_max_margin(dft)[2], linear_max_margin(l2)
    path = convolve(dft, rng, s.steps)
    trace = np.array([dft.margin(beta) for beta in path]) / bracket.upper
    return [
        panel("A convolution has its own norm",
              line(1 + np.arange(s.steps), trace, F1, "convolution"),
              level(1.0, "max margin, both ends", INK),
              level(dft.margin(euclidean) / bracket.upper, "l2 solution", F2),
              xlabel="step", ylabel="Fourier margin / max", log="x", legend="lower right", ylim=(0.5, 1.05)),
        compare("games", "Column generation closes the game of the Fourier norm (relative gap).",
                bracket.relative_gap, within=1e-8, note=f"[{bracket.lower:.9f}, {bracket.upper:.9f}]"),
        compare("convolution", "The convolution comes near the max margin of its norm.", trace.max(), ">=", 0.99),
        compare("convolution-bound", "No convolution passes the proved end.", trace.max(), "<=", 1.0, within=1e-12),
        mistake("convolution-l2", "The convolution comes near the l2 max margin, too.",
                l2.margin(path[trace.argmax()]) / flat.upper, ">=", 0.99),
    ]  # fmt: skip


LAB = Lab(
    "diagonal-networks", "Woodworth et al., kernel and rich regimes (COLT 2020)",
    "trained diagonal nets with the program of least Q, a convolution with the max margin of its Fourier norm",
    (_regression, _classification, _convolution), (3.0, 8.0),
    Settings(cases=((2, 0.01), (2, 0.1), (2, 0.5), (3, 0.01), (3, 0.1), (3, 0.5), (4, 0.1), (4, 0.5)),
             margin=1000.0, steps=40_000),
)  # fmt: skip
