"""Proxy convexity: gradient inequalities for two-layer networks whose best constant is a tangent-kernel margin.

N(W, x) = sum_j a_j sigma(w_j.x), a_j = +-1/sqrt m fixed, leaky ReLU of slope s, f(W) = (1/n) sum_i exp(-y_i N(W, x_i)),
gamma(W) the max margin of y_i grad N(W, x_i), gamma_lin that of linear classifiers. For all W and V

    |grad f(W)| / f(W)  >=  gamma(W)  >=  s gamma_lin,        gamma(W)  >=  min_i y_i N(W, x_i) / |W|,
    <grad f(W), W - V>  >=  f(W) - (1/n) sum_i exp(-y_i <grad N(W, x_i), V>).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, softmax

from ..conventions import Array
from ..flow.fields import descend
from ..games.game import Bracket
from ..games.linear import LinearGame
from ..games.rkhs import KernelGame
from ..plots.panels import level, line, mark, panel
from ..plots.style import F1, F2, INK, NTK
from ..solvers.linear import linear_max_margin
from ..solvers.min_norm_point import min_norm_point
from .shape import Items, Lab, compare, halves, mistake

SLOPE, STEP = 0.2, 0.05  # of the leaky ReLU; of descent on log f


@dataclass(frozen=True)
class Settings:
    """n separable points in d dimensions, width m; steps of descent; random pairs W, V."""

    seed: int = 0
    n: int = 30
    d: int = 8
    m: int = 40
    steps: int = 3000
    pairs: int = 300


class Net:
    """Points X (n, d), in a half space, that a hyperplane separates with labels y (n,); output weights a (m,).

    `linear` holds the max-margin v (d,), its adversary p (n,) and the bracket of gamma_lin, for rows z_i = y_i x_i.
    """

    def __init__(self, s: Settings):
        rng = np.random.default_rng(s.seed)
        X = rng.standard_normal((s.n, s.d))
        X[:, -1] = 0.5 + np.abs(X[:, -1])
        y = np.sign(X[:, 0])
        X[:, 0] += 0.2 * y
        self.X, self.y, self.Z, self.a = X, y, X * y[:, None], np.where(np.arange(s.m) % 2, 1.0, -1.0) / np.sqrt(s.m)
        self.linear = linear_max_margin(LinearGame(self.Z, "l2"))

    def slopes(self, W: Array) -> Array:
        """sigma'(w_j.x_i), (n, m)."""
        return np.where(self.X @ W.T > 0.0, 1.0, SLOPE)

    def paired(self, W: Array, V: Array) -> Array:
        """y_i <grad N(W, x_i), V>; the margins y_i N(W, x_i) for V = W."""
        return (self.Z @ V.T * self.slopes(W)) @ self.a

    def log_loss(self, W: Array) -> float:
        """log f."""
        return float(logsumexp(-self.paired(W, W), b=1.0 / len(self.y)))

    def ascent(self, W: Array) -> Array:
        """-grad f / f = sum_i p_i y_i grad N(W, x_i), (m, d), with the softmax weights p."""
        p = softmax(-self.paired(W, W))
        return self.a[:, None] * (self.slopes(W).T @ (self.Z * p[:, None]))

    def tangent_margin(self, W: Array) -> Bracket:
        """gamma(W), the margin of the tangent kernel of this finite network at W."""
        S = self.slopes(W) * self.a
        game = KernelGame((self.X @ self.X.T) * (S @ S.T), self.y)
        proposal = min_norm_point(game.K, self.y)
        return game.certify(proposal.learner, proposal.p)

    def descend(self, W: Array, count: int, record: set[int]) -> list[tuple[float, Array]]:
        """(t, W) of the steps to record: W moves by `STEP` times -grad f / f, hence t by `STEP` / f."""
        t, path = 0.0, []
        for k in range(count + 1):
            if k in record:
                path.append((t, W))
            W, t = W + STEP * self.ascent(W), t + STEP * float(np.exp(-self.log_loss(W)))
        return path

    def tight(self, reach: float) -> Array:
        """Weights that attain s gamma_lin: p the linear game's adversary, all preactivations negative (x_d > 0)."""
        v, p, _ = self.linear
        support = p > 1e-9
        shift = np.linalg.lstsq(SLOPE * self.Z[support], -np.log(p[support]), rcond=None)[0]
        W = self.a[:, None] * (reach * v + shift)
        W[:, -1] -= 1.1 * np.abs(self.X @ W.T).max() / self.X[:, -1].min()
        return W


def _along(s: Settings) -> Items:
    """The chain of inequalities and two bounds on f at the recorded steps of one run.

    Along the flow f(t) <= 1 / (1/f(0) + s^2 gamma_lin^2 t); and f(t) <= min_R [exp(-s gamma_lin R) + |W(0) - V|^2 / 2t]
    from V_j = R sign(a_j) v / sqrt m with the max-margin v.
    """
    net, start = Net(s), 0.5 * np.random.default_rng(s.seed + 1).standard_normal((s.m, s.d))
    v, _, bracket = net.linear
    constant, record = SLOPE * bracket.lower, {0, *np.geomspace(1, s.steps, 30).astype(int).tolist()}
    times, path = zip(*net.descend(start, s.steps, record), strict=True)
    t, f = np.array(times), np.exp([net.log_loss(W) for W in path])
    proved, gamma = np.array([(bracket.lower, bracket.upper) for bracket in map(net.tangent_margin, path)]).T
    steep = np.array([np.linalg.norm(net.ascent(W)) for W in path])
    euler = np.array([net.paired(W, W).min() / np.linalg.norm(W) for W in path])
    slow, R = 1.0 / (1.0 / f[0] + constant**2 * t), np.geomspace(1e-2, 1e4, 4000)
    apart = (start**2).sum() - 2.0 * R * (start * np.sign(net.a)[:, None] * v / np.sqrt(s.m)).sum() + R**2
    proxy = np.array([np.inf, *((np.exp(-constant * R) + apart / (2.0 * time)).min() for time in t[1:])])
    ends = [descend(net.ascent, start, h, 5.0) for h in (0.02, 0.01, 0.005)]
    shown = np.maximum(t, 0.01)
    return [
        panel("The best constant of the gradient inequality",
              mark("fill_between", shown, gamma, steep, color=NTK, alpha=0.2, linewidth=0),
              line(shown, steep, INK, "|grad f| / f"),
              line(shown, gamma, NTK, "tangent-kernel margin at W (solved)"),
              line(shown, euler, F1, "min margin / |W|"),
              level(constant, "slope x linear margin (solved)"), xlabel="flow time", log="x"),
        panel("The loss and its bounds",
              line(shown, f, INK, "trained"),
              line(shown, slow, NTK, "bound from the gradient inequality", style="--"),
              line(shown, proxy, F2, "bound from proxy convexity", style="--"),
              below="exponential loss", xlabel="flow time", log="xy", legend="lower left", ylim=(f[-1] / 10.0, 10.0)),
        compare("gradient", "At every record |grad f| / f >= gamma(W), the tangent-kernel margin (least difference).",
                (steep - gamma).min(), ">=", within=1e-9),
        compare("linear", "The proved gamma(W) is at least s gamma_lin.", proved.min(), ">=", constant, within=1e-9),
        compare("euler", "The margin gamma(W) is at least min_i y_i N(W, x_i) / |W| (least difference).",
                (gamma - euler).min(), ">=", within=1e-9),
        compare("loss-bound", "The loss stays below 1 / (1/f(0) + s^2 gamma_lin^2 t) (largest ratio).",
                (f / slow).max(), "<=", 1.0, within=1e-9),
        compare("proxy-bound", "The bound of proxy convexity holds (largest ratio).", (f / proxy).max(), "<=", 1.0),
        halves("The change of the end of descent", [float(np.linalg.norm(ends[i] - ends[i + 1])) for i in (0, 1)], 0.2),
    ]  # fmt: skip


def _elsewhere(s: Settings) -> Items:
    """At random pairs; where the constant is attained; on data without a linear margin."""
    net, rng, slack = Net(s), np.random.default_rng(s.seed + 2), np.inf
    for _ in range(s.pairs):
        W, V = rng.standard_normal((2, s.m, s.d)) * rng.lognormal(size=(2, 1, 1))
        left = float((net.ascent(W) * (V - W)).sum())  # <grad f, W - V> / f
        right = np.exp(-net.paired(W, V) - net.log_loss(W)).mean()
        slack = min(slack, (left - 1.0 + right) / (abs(left) + 1.0 + right))
    attained = np.linalg.norm(net.ascent(net.tight(1e5))) / (SLOPE * net.linear[2].lower)
    none = linear_max_margin(LinearGame(net.Z * np.where(np.arange(s.n) % 3, 1.0, -1.0)[:, None], "l2"))[2]
    return [
        compare("pairs", f"Proxy convexity holds for {s.pairs} random pairs (least slack).", slack, ">=", within=1e-12),
        compare("attained", "The constant s gamma_lin is attained (|grad f| / f over it).",
                attained, "=", 1.0, within=1e-6),
        mistake("twice", "Twice the constant s gamma_lin holds, too.", attained / 2.0, ">=", 1.0, within=1e-6),
        mistake("flipped", "With every third label flipped, a positive constant is proved.",
                SLOPE * none.lower, ">=", 1e-6, note=f"margin <= {none.upper:.1e}"),
    ]  # fmt: skip


LAB = Lab(
    "proxy-convexity", "Frei and Gu, proxy convexity (NeurIPS 2021)",
    "gradient norms along training with the tangent-kernel margin at W_t and the linear margin",
    (_along, _elsewhere), (1.0, 3.0), Settings(n=60, d=12, m=100, steps=6000, pairs=2000),
)  # fmt: skip
