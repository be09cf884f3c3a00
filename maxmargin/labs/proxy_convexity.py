"""Proxy convexity: gradient inequalities for two-layer networks whose best constant is a tangent-kernel margin.

N(W, x) = sum_j a_j sigma(w_j.x), a_j = +-1/sqrt m fixed, leaky ReLU of slope s, f(W) = (1/n) sum_i exp(-y_i N(W, x_i)).
With softmax weights p, grad f = -f sum_i p_i y_i grad N(W, x_i). With the max margin gamma(W) of y_i grad N(W, x_i),

    |grad f(W)| / f(W)  >=  gamma(W)  >=  s gamma_lin,        gamma(W)  >=  min_i y_i N(W, x_i) / |W|;

gamma(W) is the largest constant that holds for all p, and gamma_lin is the linear margin. Along the flow, therefore,
f(t) <= 1 / (1/f(0) + s^2 gamma_lin^2 t). The constant s gamma_lin is attained where all preactivations are negative and
p is the adversary of the linear game. By convexity and <grad N(W, x), W> = N(W, x), for all W and V,

    <grad f(W), W - V>  >=  f(W) - (1/n) sum_i exp(-y_i <grad N(W, x_i), V>),

and V_j = R sign(a_j) v / sqrt m with the max-margin v gives min f <= min_R [exp(-s gamma_lin R) + |W(0) - V|^2 / 2t].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..games.game import Bracket
from ..games.rkhs import KernelGame
from ..plots.style import F1, F2, INK, MUTED, NTK
from ..solvers.min_norm_point import min_norm_point
from .linear_games import LinearGame
from .panels import finish, two_panels
from .shape import Lab, LabFinding, LabResult, compare

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """n separable points in d dimensions, width m, slope of the leaky ReLU; steps of descent on log f."""

    seed: int = 0
    n: int = 30
    d: int = 8
    m: int = 40
    slope: float = 0.2
    steps: int = 3000
    step: float = 0.05
    pairs: int = 300


@dataclass(frozen=True)
class Net:
    """Points X (n, d), labels y (n,), output weights a (m,), slope of the leaky ReLU."""

    X: Array
    y: Array
    a: Array
    slope: float

    def slopes(self, W: Array) -> Array:
        """sigma'(w_j.x_i), (n, m)."""
        return np.where(self.X @ W.T > 0.0, 1.0, self.slope)

    def margins(self, W: Array) -> Array:
        """y_i N(W, x_i)."""
        return self.y * ((self.X @ W.T * self.slopes(W)) @ self.a)

    def paired(self, W: Array, V: Array) -> Array:
        """y_i <grad N(W, x_i), V>."""
        return self.y * ((self.X @ V.T * self.slopes(W)) @ self.a)

    def weights(self, W: Array) -> tuple[Array, float]:
        """Softmax weights p, and log f."""
        u = self.margins(W)
        e = np.exp(u.min() - u)
        return e / e.sum(), float(np.log(e.mean()) - u.min())

    def ascent(self, W: Array, p: Array) -> Array:
        """sum_i p_i y_i grad N(W, x_i), (m, d): the direction -grad f / f."""
        return self.a[:, None] * (self.slopes(W).T @ (self.X * (p * self.y)[:, None]))

    def tangent_margin(self, W: Array) -> Bracket:
        """gamma(W), the margin of the tangent kernel of this finite network at W."""
        S = self.slopes(W) * self.a
        game = KernelGame((self.X @ self.X.T) * (S @ S.T), self.y)
        proposal = min_norm_point(game.K, self.y)
        return game.certify(proposal.learner, proposal.p)

    @property
    def linear(self) -> LinearGame:
        """The game whose value is gamma_lin."""
        return LinearGame(self.X * self.y[:, None], "l2")

    def descend(self, W: Array, step: float, count: int, record: set[int]) -> list[tuple[float, Array]]:
        """(t, W) of the steps to record: W moves by step times -grad f / f, hence t by step / f."""
        t, path = 0.0, []
        for k in range(count + 1):
            p, log_f = self.weights(W)
            if k in record:
                path.append((t, W))
            W, t = W + step * self.ascent(W, p), t + step * float(np.exp(-log_f))
        return path

    def tight(self, reach: float) -> Array:
        """Weights that attain the constant: p the linear game's adversary, all preactivations negative (x_d > 0)."""
        v, p, _ = self.linear.solve()
        support = p > 1e-9
        rows = self.slope * (self.X * self.y[:, None])[support]
        q = reach * v + np.linalg.lstsq(rows, -np.log(p[support]), rcond=None)[0]
        W = self.a[:, None] * q
        W[:, -1] -= 1.1 * np.abs(self.X @ W.T).max() / self.X[:, -1].min()
        return W


def build(settings: Settings) -> Net:
    """Points that a hyperplane separates, in a half space; alternating output signs."""
    rng, s = np.random.default_rng(settings.seed), settings
    X = rng.standard_normal((s.n, s.d))
    X[:, -1] = 0.5 + np.abs(X[:, -1])
    y = np.sign(X[:, 0])
    X[:, 0] += 0.2 * y
    return Net(X, y, np.where(np.arange(s.m) % 2, 1.0, -1.0) / np.sqrt(s.m), s.slope)


def _along(net: Net, settings: Settings) -> tuple[list[LabFinding], dict[str, Any]]:
    """The chain of inequalities and the two bounds on f at the recorded steps of one run."""
    rng, s = np.random.default_rng(settings.seed + 1), settings
    start = 0.5 * rng.standard_normal((s.m, s.d))
    v, _, bracket = net.linear.solve()
    constant = s.slope * bracket.lower
    record = set(np.geomspace(1, s.steps, 30).astype(int).tolist()) | {0}
    path = net.descend(start, s.step, s.steps, record)
    t = np.array([time for time, _ in path])
    steep = np.array([np.linalg.norm(net.ascent(W, net.weights(W)[0])) for _, W in path])
    brackets = [net.tangent_margin(W) for _, W in path]
    gamma = np.array([b.upper for b in brackets])
    euler = np.array([net.margins(W).min() / np.linalg.norm(W) for _, W in path])
    f = np.exp([net.weights(W)[1] for _, W in path])
    slow = 1.0 / (1.0 / f[0] + constant**2 * t)
    R = np.geomspace(1e-2, 1e4, 4000)
    V = np.sign(net.a)[:, None] * v / np.sqrt(s.m)
    apart = (start**2).sum() - 2.0 * R * (start * V).sum() + R**2
    proxy = np.array([(np.exp(-constant * R) + apart / (2.0 * time)).min() if time else np.inf for time in t])
    ends = [net.descend(start, h, round(5.0 / h), {round(5.0 / h)})[0][1] for h in (0.02, 0.01, 0.005)]
    rough, fine = (float(np.linalg.norm(ends[i] - ends[i + 1])) for i in (0, 1))
    findings = [
        compare("gradient", "At every record |grad f| / f >= gamma(W), the tangent-kernel margin (least difference).",
                (steep - gamma).min(), ">=", 0.0, within=1e-9),
        compare("linear", "The proved gamma(W) is at least s gamma_lin.",
                min(b.lower for b in brackets), ">=", constant, within=1e-9),
        compare("euler", "The margin gamma(W) is at least min_i y_i N(W, x_i) / |W| (least difference).",
                (gamma - euler).min(), ">=", 0.0, within=1e-9),
        compare("loss-bound", "The loss stays below 1 / (1/f(0) + s^2 gamma_lin^2 t) (largest ratio).",
                (f / slow).max(), "<=", 1.0, within=1e-9),
        compare("proxy-bound", "The loss stays below the bound of proxy convexity (largest ratio).",
                (f / proxy).max(), "<=", 1.0),
        compare("descent-order", "Halving the step of descent halves the change of its end.",
                rough / fine, "=", 2.0, within=0.2),
    ]  # fmt: skip
    curves = {"steep": steep, "gamma": gamma, "euler": euler, "f": f, "slow": slow, "proxy": proxy}
    return findings, {"t": t, "constant": np.array(constant), **curves}


def run(settings: Settings) -> LabResult:
    """Along a run; at random pairs; where the constant is attained; on data without a linear margin."""
    net, s, rng = build(settings), settings, np.random.default_rng(settings.seed + 2)
    findings, arrays = _along(net, settings)
    constant, slack = float(arrays["constant"]), np.inf
    for _ in range(s.pairs):
        W, V = rng.standard_normal((2, s.m, s.d)) * rng.lognormal(size=(2, 1, 1))
        p, log_f = net.weights(W)
        left = float((net.ascent(W, p) * (V - W)).sum())  # <grad f, W - V> / f
        right = np.exp(-net.paired(W, V) - log_f).mean()
        slack = min(slack, (left - 1.0 + right) / (abs(left) + 1.0 + right))
    W = net.tight(1e5)
    attained = float(np.linalg.norm(net.ascent(W, net.weights(W)[0]))) / constant
    flipped = Net(net.X, np.where(np.arange(s.n) % 3, net.y, -net.y), net.a, net.slope).linear.solve()[2]
    findings += [
        compare("pairs", f"Proxy convexity holds for {s.pairs} random pairs W, V (least relative slack).",
                slack, ">=", 0.0, within=1e-12),
        compare("attained", "The constant s gamma_lin is attained (|grad f| / f over it).",
                attained, "=", 1.0, within=1e-6),
        compare("twice", "Twice the constant s gamma_lin holds, too.",
                attained / 2.0, ">=", 1.0, within=1e-6, broken=True),
        compare("flipped", "With every third label flipped, a positive constant is proved.",
                s.slope * flipped.lower, ">=", 1e-6, broken=True, note=f"margin <= {flipped.upper:.1e}"),
    ]  # fmt: skip
    return LabResult(tuple(findings), arrays)


def figure(result: LabResult) -> Figure:
    """Left: the chain of constants along a run. Right: the loss below its two bounds."""
    (drawing, left, right), a = two_panels(4.4), result.arrays
    t = np.maximum(a["t"], 0.01)
    left.fill_between(t, a["gamma"], a["steep"], color=NTK, alpha=0.2, linewidth=0)
    left.plot(t, a["steep"], color=INK, label="|grad f| / f")
    left.plot(t, a["gamma"], color=NTK, label="tangent-kernel margin at W (solved)")
    left.plot(t, a["euler"], color=F1, label="min margin / |W|")
    left.axhline(float(a["constant"]), color=MUTED, linestyle="--", label="slope x linear margin (solved)")
    finish(left, "The best constant of the gradient inequality", x="flow time", log="x")
    right.plot(t, a["f"], color=INK, label="trained")
    right.plot(t, a["slow"], "--", color=NTK, label="bound from the gradient inequality")
    right.plot(t, a["proxy"], "--", color=F2, label="bound from proxy convexity")
    finish(right, "The loss and its bounds", "exponential loss", x="flow time", log="xy", legend="lower left")
    right.set_ylim(a["f"][-1] / 10.0, 10.0)
    return drawing


LAB = Lab(
    "proxy-convexity",
    "Frei and Gu, proxy convexity (NeurIPS 2021)",
    "gradient norms along training with the tangent-kernel margin at W_t and the linear margin",
    Settings(), Settings(n=60, d=12, m=100, steps=6000, pairs=2000),
    (1.0, 3.0), run, figure,
)  # fmt: skip
