"""Mean-field networks whose first layer learns features: a solved limit, and a rate at every time.

f(x) = (1/m) sum_j a_j tanh(w_j.x), a_j fixed, flow w_j' = (1/n) sum_i a_j tanh'(w_j.x_i) r_i x_i, r = y - f(X). Then
r' = -K_t r / n with the tangent kernel K_t, hence

    L(0) exp(-(2/n) int lam_max(K)) <= L(t) <= L(0) exp(-(2/n) int lam_min(K)).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.integrate import cumulative_trapezoid
from scipy.optimize import brentq

from ..conventions import Array
from ..flow.fields import descend, flow
from ..plots.panels import dots, line, mark, panel
from ..plots.style import F1, INK, MUTED, NTK, POSITIVE
from ..theory.rates import decay
from .shape import Items, Lab, compare, distance, halves, mistake


@dataclass(frozen=True)
class Settings:
    """Width m."""

    seed: int = 0
    m: int = 200


@dataclass(frozen=True)
class Net:
    """X (n, d), y (n,), output weights a (m,), first layer at the start W (m, d)."""

    X: Array
    y: Array
    a: Array
    W: Array

    def residual(self, W: Array) -> Array:
        """y - f(X) for the input weights W (m, d), shape (n,)."""
        return self.y - np.tanh(self.X @ W.T) @ self.a / len(self.a)

    def slopes(self, W: Array) -> Array:
        """a_j tanh'(w_j.x_i), (n, m)."""
        return self.a * (1.0 - np.tanh(self.X @ W.T) ** 2)

    def velocity(self, W: Array) -> Array:
        """W'."""
        return (self.slopes(W) * self.residual(W)[:, None]).T @ self.X / len(self.y)

    def kernel(self, W: Array) -> Array:
        """K = (X X') o ((1/m) sum_j a_j^2 s_j s_j'), s_j = tanh'(X w_j), (n, n)."""
        return (self.X @ self.X.T) * (self.slopes(W) @ self.slopes(W).T) / len(self.a)

    def both_layers(self, time: float) -> Array:
        """W at this time if a moves, too, by the same rule."""

        def field(state: Array) -> Array:
            W, net = state[:, 1:], replace(self, a=state[:, 0])
            pull = np.tanh(W @ self.X.T) @ net.residual(W) / len(self.y)
            return np.column_stack([pull, net.velocity(W)])

        return flow(field, np.column_stack([self.a, self.W]), np.array([time]))[-1, :, 1:]

    def solved(self) -> Array:
        """W(inf) = W + ((X X')^-1 (U(inf) - U(0)))' X for orthogonal inputs, U the preactivations.

        Phi(u_ij(t)) = Phi(u_ij(0)) + a_j tau_i(t), Phi(u) = u/2 + sinh(2u)/4; tau_i(inf) solves f(x_i) = y_i.
        """

        def miss(tau: float, u: Array, y: float) -> float:
            return float(np.tanh(self.moved(u, tau)) @ self.a) / len(self.a) - y

        U = self.X @ self.W.T
        end = [self.moved(u, brentq(miss, -50.0, 50.0, (u, y))) for u, y in zip(U, self.y, strict=True)]
        return self.W + np.linalg.solve(self.X @ self.X.T, end - U).T @ self.X

    def moved(self, u: Array, tau: float) -> Array:
        """Phi^-1(Phi(u) + a tau), by Newton's method from an upper end in absolute value."""
        goal = u / 2.0 + np.sinh(2.0 * u) / 4.0 + self.a * tau
        v = np.arcsinh(4.0 * goal) / 2.0
        for _ in range(60):
            v = v - (v / 2.0 + np.sinh(2.0 * v) / 4.0 - goal) / np.cosh(v) ** 2
        return v

    def linearised(self) -> Array:
        """W(inf) of the lazy reference: the least move of W that fits y to first order."""
        c = np.linalg.solve(self.kernel(self.W), self.residual(self.W))
        return self.W + (self.slopes(self.W) * c[:, None]).T @ self.X


def _limit(s: Settings) -> Items:
    """Orthogonal inputs, output weights of random size: the trained first layer and the solved one."""
    rng, n, d = np.random.default_rng(s.seed), 6, 8
    X = np.linalg.qr(rng.standard_normal((n, d)).T)[0].T * np.linspace(0.8, 1.6, n)[:, None]
    a = rng.choice([-1.0, 1.0], s.m) * rng.uniform(1.0, 2.0, s.m)
    y = 0.6 * rng.choice([-1.0, 1.0], n) * rng.uniform(0.5, 1.0, n)
    net, times = Net(X, y, a, rng.standard_normal((s.m, d))), np.linspace(0.0, 250.0, 251)
    path, solved = flow(net.velocity, net.W, times), net.solved()

    def error(W: Array, solved: Array = solved) -> float:
        return distance(W - net.W, solved - net.W)

    rates = []
    for r in np.abs([net.residual(W) for W in path]).T:
        window = (r > 1e-8) & (r < 1e-4)
        rates.append(-decay(times[window], r[window]))
    ratios = np.array(rates) * n / np.diag(net.kernel(solved))
    mixed = replace(net, X=X + 0.3 * np.eye(n, k=1) @ X)
    U0, U1, U = (np.tanh(X @ W.T).ravel() for W in (net.W, path[-1], solved))
    return [
        panel("Activations of all neurons",
              dots(U, U0, MUTED, "start", size=2, style="."),
              dots(U, U1, F1, "trained", size=3, style="."),
              line([-1, 1], [-1, 1], INK, "solved", style="--"),
              below="orthogonal inputs, first layer trained", xlabel="solved activation"),
        compare("solved-limit", "Orthogonal inputs: the trained layer is the solved one (distance over movement).",
                error(path[-1]), within=1e-8, note=f"movement {np.linalg.norm(solved - net.W) / np.sqrt(s.m):.2f}"),
        compare("solved-rates", "Residual i dies at the rate K_ii / n at the limit (worst ratio).",
                np.abs(ratios - 1.0).max() + 1.0, "=", 1.0, within=1e-3),
        halves("What descent misses of the limit", [error(descend(net.velocity, net.W, h, 150)) for h in (0.2, 0.1)]),
        mistake("correlated", "The solved form describes correlated inputs.",
                error(flow(mixed.velocity, net.W, times[-1:])[0], mixed.solved()), within=1e-8),
        mistake("both-layers", "The solved form describes a network that trains both layers.",
                error(net.both_layers(times[-1])), within=1e-8),
        mistake("lazy", "The linearised network has the solved limit.", error(net.linearised()), within=1e-8),
    ]  # fmt: skip


def _rate(s: Settings) -> Items:
    """General inputs, n <= d: the tube around the loss, the late rate, and the claim of the kernel at the start."""
    rng, n, d = np.random.default_rng(s.seed), 8, 12
    X, a = rng.standard_normal((n, d)), 3.0 * rng.choice([-1.0, 1.0], s.m)
    net = Net(X, rng.choice([-1.0, 1.0], n) * rng.uniform(0.5, 1.0, n), a, rng.standard_normal((s.m, d)))
    times = np.r_[0.0, np.geomspace(0.01, 1.0, 100), np.linspace(1.0, 300.0, 600)[1:]]
    path = flow(net.velocity, net.W, times)
    losses = np.array([0.5 * np.mean(net.residual(W) ** 2) for W in path])
    spectra = np.array([np.linalg.eigvalsh(net.kernel(W)) for W in path])
    area = cumulative_trapezoid(spectra, times, axis=0, initial=0.0)
    inner = [np.linalg.eigvalsh(X @ X.T)[0] * (net.slopes(W) ** 2).mean(axis=1).min() for W in path]
    seen, late = losses > 1e-18, (losses > 1e-18) & (losses < 1e-14)
    ends = np.log(losses[0]) - 2.0 / n * np.array([area[:, -1], area[:, 0], times * spectra[0, 0]])[:, seen]
    lower, upper, frozen = ends - np.log(losses[seen])
    t, (least, most, promised) = times[seen], np.exp(ends)
    return [
        panel("Loss between two integrals of the kernel",
              mark("fill_between", t, np.maximum(least, 1e-30), most, color=NTK, alpha=0.2, lw=0, label="between both"),
              line(t, losses[seen], INK, "trained"),
              line(t, promised, POSITIVE, "promise of the kernel at the start", style="--"),
              xlabel="flow time", log="y", ylim=(1e-18, 2.0)),
        compare("tube", "The loss stays between the two integrals of the kernel (least log distance).",
                min(upper.min(), -lower.max()), ">=", within=1e-3),
        compare("kernel-bound", "The bound on lam_min(K_t) from the slopes holds at every time (least ratio).",
                (spectra[:, 0] / inner).min(), ">=", 1.0, within=1e-9),
        compare("late-rate", "The loss dies at the rate 2 lam_min(K_inf) / n.",
                -decay(times[late], losses[late]) / (2.0 * spectra[-1, 0] / n), "=", 1.0, within=0.01),
        mistake("frozen-kernel", "The loss dies as fast as the kernel of the start promises (least log distance).",
                frozen.min(), ">=", within=1e-3),
    ]  # fmt: skip


LAB = Lab(
    "feature-learning", "Chen, Vanden-Eijnden and Bruna, feature learning with global convergence (arXiv 2204.10782)",
    "the trained first layer with its solved limit, the loss with integrals of its kernel",
    (_limit, _rate), (1.0, 5.0), Settings(m=2000),
)  # fmt: skip
