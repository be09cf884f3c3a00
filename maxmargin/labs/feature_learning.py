"""Mean-field networks whose first layer learns features: a solved limit, and a rate at every time.

f(x) = (1/m) sum_j a_j tanh(w_j.x), a_j fixed, flow w_j' = (1/n) sum_i a_j tanh'(w_j.x_i) r_i x_i, r = y - f(X). Then

    r' = -K_t r / n,   K_t = (X X') o ((1/m) sum_j a_j^2 s_j s_j'),   s_j = tanh'(X w_j)
    lam_min(X X') min_i (1/m) sum_j a_j^2 s_ij^2 <= lam_min(K_t),
    L(0) exp(-(2/n) int lam_max(K)) <= L(t) <= L(0) exp(-(2/n) int lam_min(K)).

Orthogonal inputs: the preactivations u_ij = w_j.x_i decouple, Phi(u_ij(t)) = Phi(u_ij(0)) + a_j tau_i(t) with
Phi(u) = u/2 + sinh(2u)/4, and tau_i(inf) is the root of (1/m) sum_j a_j tanh(u_ij) = y_i. So the end is known,
W(inf) = W(0) + ((X X')^-1 (U(inf) - U(0)))' X for U = (u_ij), and residual i dies at the rate K_ii(inf) / n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..plots.style import F1, INK, MUTED, NTK, POSITIVE
from .panels import finish, two_panels
from .shape import Lab, LabFinding, LabResult, compare

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """Orthogonal inputs: n points in d dimensions. General inputs: `points` in `inputs`. Width m."""

    seed: int = 0
    n: int = 6
    d: int = 8
    points: int = 8
    inputs: int = 12
    m: int = 200


@dataclass(frozen=True)
class Net:
    """X (n, d), y (n,), output weights a (m,), first layer at the start W (m, d)."""

    X: Array
    y: Array
    a: Array
    W: Array

    def residual(self, W: Array) -> Array:
        """y - h(X) for the input weights W (m, d), shape (n,)."""
        return self.y - np.tanh(self.X @ W.T) @ self.a / len(self.a)

    def velocity(self, W: Array) -> Array:
        """W'."""
        u = np.tanh(self.X @ W.T)
        r = self.y - u @ self.a / len(self.a)
        return self.a[:, None] * (((1.0 - u * u) * r[:, None]).T @ self.X) / len(self.y)

    def slopes(self, W: Array) -> Array:
        """a_j tanh'(w_j.x_i), (n, m)."""
        return self.a * (1.0 - np.tanh(self.X @ W.T) ** 2)

    def kernel(self, W: Array) -> Array:
        """K (n, n)."""
        return (self.X @ self.X.T) * (self.slopes(W) @ self.slopes(W).T) / len(self.a)

    def flow(self, times: Array, train_output: bool = False) -> Array:
        """W at these times (T, m, d); with `train_output` a moves, too, by the same rule."""
        from scipy.integrate import solve_ivp

        m, d = self.W.shape

        def field(_: float, state: Array) -> Array:
            W, a = state[: m * d].reshape(m, d), state[m * d :]
            net = Net(self.X, self.y, a, W)
            moved = np.tanh(W @ self.X.T) @ net.residual(W) / len(self.y) if train_output else np.zeros(m)
            return np.concatenate([net.velocity(W).ravel(), moved])

        start = np.concatenate([self.W.ravel(), self.a])
        path = solve_ivp(field, (0.0, times[-1]), start, "DOP853", times, rtol=1e-11, atol=1e-13)
        return path.y[: m * d].T.reshape(-1, m, d)

    def descend(self, step: float, time: float) -> Array:
        """W after fixed steps up to that time."""
        W = self.W
        for _ in range(round(time / step)):
            W = W + step * self.velocity(W)
        return W

    def solved(self) -> Array:
        """W(inf) for orthogonal inputs."""
        from scipy.optimize import brentq

        U = self.X @ self.W.T
        end = np.empty_like(U)
        for i, u in enumerate(U):
            tau = brentq(lambda t, i=i, u=u: np.tanh(self.moved(u, t)) @ self.a / len(self.a) - self.y[i], -50.0, 50.0)
            end[i] = self.moved(u, tau)
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


def start(settings: Settings, n: int, d: int, orthogonal: bool) -> Net:
    """Gaussian first layer, output weights and targets of random sign; the targets are larger for general inputs."""
    rng, m = np.random.default_rng(settings.seed), settings.m
    X = rng.standard_normal((n, d))
    if orthogonal:
        X = np.linalg.qr(X.T)[0].T * np.linspace(0.8, 1.6, n)[:, None]
    a = rng.choice([-1.0, 1.0], m) * (rng.uniform(1.0, 2.0, m) if orthogonal else 3.0)
    y = rng.choice([-1.0, 1.0], n) * rng.uniform(0.5, 1.0, n) * (0.6 if orthogonal else 1.0)
    return Net(X, y, a, rng.standard_normal((m, d)))


def _limit(settings: Settings) -> tuple[list[LabFinding], dict[str, Any]]:
    net, times = start(settings, settings.n, settings.d, True), np.linspace(0.0, 250.0, 251)
    path, solved = net.flow(times), net.solved()
    moved = np.linalg.norm(solved - net.W)

    def error(W: Array) -> float:
        return float(np.linalg.norm(W - solved) / moved)

    residuals = np.abs([net.residual(W) for W in path])
    predicted = np.diag(net.kernel(solved)) / settings.n
    rates = np.empty(settings.n)
    for i, r in enumerate(residuals.T):
        window = (r > 1e-8) & (r < 1e-4)
        rates[i] = -np.polyfit(times[window], np.log(r[window]), 1)[0]
    shear = np.eye(settings.n) + 0.3 * np.eye(settings.n, k=1)
    mixed = Net(shear @ net.X, net.y, net.a, net.W)
    apart = mixed.solved()
    coherent = float(np.linalg.norm(mixed.flow(times[-1:])[0] - apart) / np.linalg.norm(apart - mixed.W))
    rough, fine = (error(net.descend(step, 150.0)) for step in (0.2, 0.1))
    findings = [
        compare("solved-limit", "Orthogonal inputs: the trained layer is the solved one (distance over movement).",
                error(path[-1]), "=", 0.0, within=1e-8, note=f"movement a neuron {moved / np.sqrt(settings.m):.2f}"),
        compare("solved-rates", "Residual i dies at the rate K_ii / n at the limit (worst ratio).",
                float(np.abs(rates / predicted - 1.0).max()) + 1.0, "=", 1.0, within=1e-3),
        compare("descent-order", "The distance of descent from the limit halves with the step.",
                rough / fine, "=", 2.0, within=0.1),
        compare("correlated", "The solved form describes correlated inputs.",
                coherent, "=", 0.0, within=1e-8, broken=True),
        compare("both-layers", "The solved form describes a network that trains both layers.",
                error(net.flow(times[-1:], train_output=True)[0]), "=", 0.0, within=1e-8, broken=True),
        compare("lazy", "The linearised network has the solved limit.",
                error(net.linearised()), "=", 0.0, within=1e-8, broken=True),
    ]  # fmt: skip
    U = [np.tanh(net.X @ W.T) for W in (net.W, path[-1], solved)]
    return findings, {"activations": U, "times": times}


def _rate(settings: Settings) -> tuple[list[LabFinding], dict[str, Any]]:
    """General inputs, n <= d: the tube around the loss, the late rate, and the claim of the kernel at the start."""
    net = start(settings, settings.points, settings.inputs, False)
    n, times = settings.points, np.r_[0.0, np.geomspace(0.01, 1.0, 100), np.linspace(1.0, 300.0, 600)[1:]]
    path = net.flow(times)
    spectra = np.array([np.linalg.eigvalsh(net.kernel(W)) for W in path])
    losses = np.array([0.5 * np.mean(net.residual(W) ** 2) for W in path])
    steps = np.diff(times)[:, None]
    area = np.vstack([np.zeros(n), np.cumsum(steps * (spectra[1:] + spectra[:-1]) / 2.0, axis=0)])
    seen = losses > 1e-18
    ends = np.log(losses[0]) - 2.0 / n * np.array([area[:, -1], area[:, 0], times * spectra[0, 0]])[:, seen]
    lower, upper, frozen = ends - np.log(losses[seen])
    inner = [np.linalg.eigvalsh(net.X @ net.X.T)[0] * (net.slopes(W) ** 2).mean(axis=1).min() for W in path]
    late = (losses > 1e-18) & (losses < 1e-14)
    slope = -np.polyfit(times[late], np.log(losses[late]), 1)[0]
    findings = [
        compare("tube", "The loss stays between the two integrals of the kernel (least log distance).",
                min(upper.min(), -lower.max()), ">=", 0.0, within=1e-3),
        compare("kernel-bound", "The bound on lam_min(K_t) from the slopes holds at every time (least ratio).",
                float((spectra[:, 0] / inner).min()), ">=", 1.0, within=1e-9),
        compare("late-rate", "The loss dies at the rate 2 lam_min(K_inf) / n.",
                slope / (2.0 * spectra[-1, 0] / n), "=", 1.0, within=0.01),
        compare("frozen-kernel", "The loss dies as fast as the kernel of the start promises (least log distance).",
                frozen.min(), ">=", 0.0, within=1e-3, broken=True),
    ]  # fmt: skip
    return findings, {"tube_times": times[seen], "losses": losses[seen], "ends": np.exp(ends)}


def run(settings: Settings) -> LabResult:
    """The solved limit, then the certified rate."""
    limit, arrays = _limit(settings)
    rate, more = _rate(settings)
    return LabResult((*limit, *rate), {**arrays, **more})


def figure(result: LabResult) -> Figure:
    """Left: activations, trained over solved. Right: the loss in its tube, and the kernel's promise at the start."""
    (drawing, left, right), a = two_panels(4.4), result.arrays
    began, trained, solved = a["activations"]
    left.plot(solved.ravel(), began.ravel(), ".", color=MUTED, markersize=2, label="start")
    left.plot(solved.ravel(), trained.ravel(), ".", color=F1, markersize=3, label="trained")
    left.plot([-1, 1], [-1, 1], "--", color=INK, linewidth=1.0, label="solved")
    finish(left, "Activations of all neurons", "orthogonal inputs, first layer trained", x="solved activation")
    t, (lower, upper, frozen) = a["tube_times"], a["ends"]
    right.fill_between(t, np.maximum(lower, 1e-30), upper, color=NTK, alpha=0.25, linewidth=0, label="between both")
    right.plot(t, a["losses"], color=INK, linewidth=1.4, label="trained")
    right.plot(t, frozen, "--", color=POSITIVE, linewidth=1.2, label="promise of the kernel at the start")
    finish(right, "Loss between two integrals of the kernel", x="flow time", log="y")
    right.set_ylim(1e-18, 2.0)
    return drawing


LAB = Lab(
    "feature-learning",
    "Chen, Vanden-Eijnden and Bruna, feature learning with global convergence (arXiv 2204.10782)",
    "the trained first layer with its solved limit, the loss with integrals of its kernel",
    Settings(), Settings(m=2000),
    (1.0, 5.0), run, figure,
)  # fmt: skip
