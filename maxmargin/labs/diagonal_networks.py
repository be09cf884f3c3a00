"""Diagonal and convolutional linear networks: the start's size decides which norm the flow minimises.

beta = w_+^D - w_-^D (entrywise), both weights alpha at the start. Along the flow of any loss of X beta,

    beta = alpha^D h(X'nu),   h(u) = 2 sinh u (D = 2),   (1 - u)^(-D/(D-2)) - (1 + u)^(-D/(D-2)) (D > 2)

with nu the accumulated residuals: beta minimises Q(b) = alpha^D sum_j q(b_j / alpha^D), q' = h^-1, among all b with
X b = X beta. Regression: the limit is the interpolant of least Q; nu maximises y.nu - sum_j B(x^j.nu), B' = alpha^D h.
Classification, D = 2, rows z_i = y_i x_i: nu is four times the integral of the softmax weights, hence at every time,
with gamma = min_i z_i.beta,

    gamma sum_i nu_i - alpha^2 sum_j (2 cosh(z^j.nu) - 2)  <=  min {Q(b) : Z b >= gamma}  <=  Q(beta):

a certificate, up to rounding, from the trained weights alone; any nu >= 0 will do. Least Q means least l2 norm for
gamma << alpha^2 and least l1 norm for gamma >> alpha^2.
A circular convolution beta = u * v has its own norm, sum_k |fft(beta)_k| / d, and its own max-margin game.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..plots.style import F1, F2, INK, MUTED
from .least_potential import certificate, interpolant, program, q
from .linear_games import LinearGame
from .panels import finish, two_panels
from .shape import Lab, LabFinding, LabResult, compare

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """Regression: n points, d inputs, depths and starts alpha. Classification: up to `margin`; convolution: steps."""

    seed: int = 0
    n: int = 8
    d: int = 30
    cases: tuple[tuple[int, float], ...] = ((2, 0.1), (3, 0.1), (4, 0.5))
    points: int = 10
    inputs: int = 20
    alphas: tuple[float, ...] = (1e-3, 0.1, 1.0, 10.0, 100.0)
    margin: float = 300.0
    filters: int = 16
    steps: int = 4000


def regress(X: Array, y: Array, alpha: float, D: int) -> Array:
    """beta where the flow of the 2 d weights has brought the residual to 1e-10 of the labels."""
    from scipy.integrate import solve_ivp

    d = X.shape[1]

    def field(_: float, w: Array) -> Array:
        g = D * ((y - X @ (w[:d] ** D - w[d:] ** D)) @ X)
        return np.concatenate([g * w[:d] ** (D - 1), -g * w[d:] ** (D - 1)])

    def left(_: float, w: Array) -> float:
        return float(np.linalg.norm(y - X @ (w[:d] ** D - w[d:] ** D)) / np.linalg.norm(y) - 1e-10)

    left.terminal = True  # type: ignore[attr-defined]
    path = solve_ivp(field, (0.0, 1e6), np.full(2 * d, alpha), method="LSODA", rtol=1e-11, atol=1e-14, events=left)
    return path.y[:d, -1] ** D - path.y[d:, -1] ** D


def classify(Z: Array, alpha: float, margin: float, step: float, decay: float = 0.0) -> list[Array]:
    """Gradient descent on the log of the exponential loss, D = 2, until min_i z_i.beta >= margin; beta every so often.

    The step is at most `step` and moves no margin by more than `step`.
    """
    plus = minus = np.full(Z.shape[1], alpha)
    path, beta, record = [], np.zeros(Z.shape[1]), 1e-3
    for _ in range(200_000):
        margins = Z @ beta
        if margins.min() >= min(record, margin):
            path.append(beta)
            record = margins.min() * 1.15
        if margins.min() >= margin:
            break
        p = np.exp(margins.min() - margins)
        g = (p / p.sum()) @ Z
        h = step / max(1.0, float(np.abs(Z @ (4.0 * g * (plus**2 + minus**2))).max()))
        plus, minus = plus * (1.0 + 2.0 * h * g - h * decay), minus * (1.0 - 2.0 * h * g - h * decay)
        beta = plus**2 - minus**2
    return path


def convolve(game: LinearGame, rng: np.random.Generator, steps: int) -> tuple[Array, Array]:
    """Train beta = u * v by normalised descent with step 0.3 / sqrt(t); margin over norm at each step, best beta."""
    d = game.Z.shape[1]
    u, v = 0.1 * rng.standard_normal((2, d))
    best, trace = np.zeros(d), np.zeros(steps)
    for t in range(steps):
        U, V = np.fft.rfft(u), np.fft.rfft(v)
        beta = np.fft.irfft(U * V, d)
        margins = game.Z @ beta
        trace[t] = margins.min() / game.norm(beta)
        if trace[t] == trace[: t + 1].max():
            best = beta
        p = np.exp(margins.min() - margins)
        G = np.fft.rfft((p / p.sum()) @ game.Z)
        du, dv = np.fft.irfft(G * np.conj(V), d), np.fft.irfft(G * np.conj(U), d)
        size = 0.3 / np.sqrt(t + 1.0) * np.linalg.norm([u, v]) / np.linalg.norm([du, dv])
        u, v = u + size * du, v + size * dv
    return trace, best


def _regression(settings: Settings) -> list[LabFinding]:
    from scipy.optimize import linprog

    rng, s = np.random.default_rng(settings.seed), settings
    X = rng.standard_normal((s.n, s.d))
    y = X[:, :3].sum(axis=1) / np.sqrt(3.0) + 0.1 * rng.standard_normal(s.n)
    errors = np.zeros((2, len(s.cases)))
    for column, (D, alpha) in enumerate(s.cases):
        found = regress(X, y, alpha, D)
        for row in (0, 1):
            errors[row, column] = np.linalg.norm(interpolant(X, y, alpha, D + row) - found) / np.linalg.norm(found)
    l1, l2 = linprog(np.ones(2 * s.d), A_eq=np.hstack([X, -X]), b_eq=y).fun, np.linalg.norm(np.linalg.pinv(X) @ y)
    rich, lazy = min((4.0 * l1) ** -1.5, np.exp(-s.d / l1)), np.sqrt(2.0 * 1.1 * 21.0 * l2)
    beta = interpolant(X, y, 1.0, 2)
    for alpha in np.geomspace(1.0, rich, 100):
        beta = interpolant(X, y, alpha, 2, near=beta)
    small = np.abs(beta).sum() / l1 - 1.0
    large = ((np.linalg.norm(interpolant(X, y, lazy, 2)) / l2) ** 2 - 1.0) / 0.1
    return [
        compare("trained-limit", "The trained network is the interpolant of least Q.",
                errors[0].max(), "=", 0.0, within=1e-8),
        compare("wrong-depth", "The Q of depth D + 1 describes depth D.",
                errors[1].min(), "=", 0.0, within=1e-8, broken=True),
        compare("small-or-large-start",
                "Theorem 2: its small start is within 1 + e of the least l1 norm, e = 1, its large one of l2, e = 0.1.",
                max(small, large), "<=", 1.0, note=f"excess over e: l1 {small:.1e}, l2 {large:.1e}"),
    ]  # fmt: skip


def _classification(settings: Settings) -> tuple[list[LabFinding], dict[str, Any]]:
    s = settings
    Z = np.random.default_rng(s.seed + 1).standard_normal((s.points, s.inputs))
    l1, l2 = LinearGame(Z, "l1"), LinearGame(Z, "l2")
    best = [game.solve()[2].upper for game in (l1, l2)]

    def place(beta: Array) -> tuple[float, float]:
        return l1.margin(beta) / best[0], l2.margin(beta) / best[1]

    paths = {alpha: classify(Z, alpha, s.margin, 0.05) for alpha in s.alphas}
    chain = []
    for alpha, path in paths.items():
        lower, Q, _ = certificate(Z, alpha, path[-1])
        least = alpha**2 * float(q(program(Z, (Z @ path[-1]).min() / alpha**2)).sum())
        chain += [(least - lower) / Q, (Q - least) / Q]
    rough = certificate(Z, 1.0, classify(Z, 1.0, s.margin, 0.1)[-1])[2]
    last = paths[1.0][-1]
    lower, Q, residual = certificate(Z, 1.0, last)
    decayed = certificate(Z, 1.0, classify(Z, 1.0, s.margin / 10.0, 0.05, decay=0.01)[-1])[2]
    small, large = (place(paths[alpha][-1]) for alpha in (min(s.alphas), max(s.alphas)))
    ends = (small[0], large[1], small[1])
    doubled = certificate(Z, 2.0, last)[2]
    findings = [
        compare("certificate", "The trained weights prove lower <= min Q <= Q(beta): least relative slack.",
                min(chain), ">=", 0.0, within=1e-6),
        compare("certified-gap", "At alpha = 1 the certificate from the weights has closed to 2 % at the end.",
                1.0 - lower / Q, "<=", 0.02),
        compare("geometry", "A sum of z_i with weights >= 0 explains arcsinh(beta / 2 alpha^2), up to (relative).",
                residual, "=", 0.0, within=1e-3),
        compare("descent-order", "What descent misses of that sum halves with the step.",
                rough / residual, "=", 2.0, within=0.2),
        compare("wrong-start", "Such a sum explains it with the doubled start.",
                doubled, "=", 0.0, within=1e-3, broken=True),
        compare("weight-decay", "Such a sum explains it with weight decay 0.01.",
                decayed, "=", 0.0, within=1e-3, broken=True),
        compare("l1-end", "The smallest start comes near the l1 max margin (fraction).", ends[0], ">=", 0.85),
        compare("l2-end", "The largest start comes near the l2 max margin (fraction).", ends[1], ">=", 0.99),
        compare("not-l2", "The smallest start comes near the l2 max margin, too.", ends[2], ">=", 0.99, broken=True),
    ]  # fmt: skip
    curve = [place(program(Z, gamma)) for gamma in np.logspace(-2, 8, 60)]
    arrays = {"curve": np.array(curve), "paths": {a: np.array(list(map(place, path))) for a, path in paths.items()}}
    arrays["margins"] = {alpha: np.array([(Z @ beta).min() for beta in path]) for alpha, path in paths.items()}
    return findings, arrays


def _convolution(settings: Settings) -> tuple[list[LabFinding], dict[str, Any]]:
    rng = np.random.default_rng(settings.seed)
    Z = rng.standard_normal((settings.points, settings.filters))
    dft, l2 = LinearGame(Z, "dft"), LinearGame(Z, "l2")
    bracket, (euclidean, _, flat) = dft.solve()[2], l2.solve()
    trace, best = convolve(dft, rng, settings.steps)
    reached, other = dft.margin(best) / bracket.upper, l2.margin(best) / flat.upper
    findings = [
        compare("games", "Column generation closes the game of the Fourier norm (relative gap).",
                bracket.relative_gap, "=", 0.0, within=1e-8, note=f"[{bracket.lower:.9f}, {bracket.upper:.9f}]"),
        compare("convolution", "The convolution comes near the max margin of its norm.", reached, ">=", 0.99),
        compare("convolution-bound", "The convolution does not pass the proved end.", reached, "<=", 1.0, within=1e-12),
        compare("convolution-l2", "The convolution comes near the l2 max margin, too.", other, ">=", 0.99, broken=True),
    ]  # fmt: skip
    return findings, {"trace": trace, "bracket": bracket, "euclidean": dft.margin(euclidean)}


def run(settings: Settings) -> LabResult:
    """Regression, classification, convolution."""
    classification, arrays = _classification(settings)
    convolution, more = _convolution(settings)
    return LabResult((*_regression(settings), *classification, *convolution), {**arrays, **more})


def figure(result: LabResult) -> Figure:
    """Left: the plane of l1 and l2 margins, paths on the program's curve. Right: convolution below its margin."""
    (drawing, left, right), a = two_panels(4.4, width_ratios=(1.1, 1.0)), result.arrays
    left.plot(*a["curve"].T, color=INK, linewidth=1.2, label="program, from l2 (top) to l1 (right)")
    for row, (alpha, path) in enumerate(a["paths"].items()):
        dots = left.scatter(path[:, 0], path[:, 1], c=a["margins"][alpha], s=16, norm="log", cmap="viridis", zorder=3)
        place = ((2, -14), (6, -8), (6, 2), (6, 6), (-22, 6))[row % 5]
        left.annotate(f"{alpha:g}", path[-1], place, textcoords="offset points", color=MUTED, fontsize=9)
    drawing.colorbar(dots, ax=left, label="log(1 / loss), about")
    left.set(ylabel="l2 margin / max", xlim=(0.3, 1.05), ylim=(0.3, 1.05))
    finish(left, "One path for each start alpha", x="l1 margin / max", legend="lower right")
    trace, top = a["trace"], a["bracket"].upper
    right.plot(1 + np.arange(len(trace)), trace / top, color=F1, linewidth=1.0, label="convolution")
    right.axhline(1.0, color=INK, linestyle="--", linewidth=1.2, label="max margin of the Fourier norm (both ends)")
    right.axhline(a["euclidean"] / top, color=F2, linestyle="--", linewidth=1.2, label="l2 solution")
    right.set(ylabel="margin in the Fourier norm / max", ylim=(0.5, 1.05))
    finish(right, "A convolution has its own norm", x="step", log="x", legend="lower right")
    return drawing


LAB = Lab(
    "diagonal-networks",
    "Woodworth et al., kernel and rich regimes (COLT 2020)",
    "trained diagonal nets with the program of least Q, a convolution with the max margin of its Fourier norm",
    Settings(),
    Settings(
        cases=((2, 0.01), (2, 0.1), (2, 0.5), (3, 0.01), (3, 0.1), (3, 0.5), (4, 0.1), (4, 0.5)),
        margin=1000.0,
        steps=40_000,
    ),
    (3.0, 8.0), run, figure,
)  # fmt: skip
