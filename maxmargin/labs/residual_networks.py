"""Deep residual networks h_(k+1) = h_k + delta sigma(A_k h_k), k < L: rate of descent, and roughness in depth.

Linear layers from A = 0, on white inputs: each eigenvalue s of the product obeys s' = -s^(2 - 2/L) (s - phi) in time
units of 1 / (L delta^2), phi that of the target P, and A_k -> log P as L -> inf. Tanh layers: near its limit descent
multiplies the residual by I - eta K / n with the tangent kernel K, and V2 = sum_k |A_(k+1) - A_k|^2 stays bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np

from ..conventions import Array
from ..flow.fields import descend, flow
from ..plots.panels import Mark, dots, line, panel
from ..plots.style import F1, F2, INK, MUTED, NTK, POSITIVE
from ..theory.rates import exponent
from .shape import Items, Lab, compare, distance, halves, mistake

SIZE = 0.2  # standard deviation of an entry of the noise
# delta = L^-power; V2 of the start is d^2 SIZE^2 times this factor (L - 1) / L, times L for rough noise.
STARTS = {"zero": (1.0, 0.0), "Brownian": (1.0, 1.0), "small noise": (0.5, 2.0), "rough noise": (1.0, 2.0)}
LATE, LAST = 1e-10, 1e-16  # losses between which the rate is measured: terms of second order are below 1e-5 of it


@dataclass(frozen=True)
class Settings:
    """Depths of the linear nets, of the tanh nets whose rate is measured, and of those whose V2 is."""

    seed: int = 0
    linear_depths: tuple[int, ...] = (4, 16, 64)
    rate_depths: tuple[int, ...] = (8, 32)
    depths: tuple[int, ...] = (8, 32, 128)


@dataclass(frozen=True)
class Residual:
    """A network with layers A (L, d, d) on X (n, d) with targets Y (n, d); loss sum_i |h_L^i - y^i|^2 / (2 n)."""

    X: Array
    Y: Array
    A: Array
    delta: float
    linear: bool = False

    @cached_property
    def forward(self) -> tuple[Array, Array]:
        """States h_0 ... h_L (L + 1, n, d) and slopes sigma'(A_k h_k) (L, n, d)."""
        h, slopes = [self.X], []
        for A in self.A:
            u = h[-1] @ A.T if self.linear else np.tanh(h[-1] @ A.T)
            h.append(h[-1] + self.delta * u)
            slopes.append(np.ones_like(u) if self.linear else 1.0 - u * u)
        return np.array(h), np.array(slopes)

    @property
    def loss(self) -> float:
        """The loss."""
        return 0.5 * float(((self.forward[0][-1] - self.Y) ** 2).sum()) / len(self.X)

    def gradient(self) -> Array:
        """The gradient of the loss (L, d, d), backwards from the last layer."""
        h, slopes = self.forward
        back, G = (h[-1] - self.Y) / len(self.X), np.empty_like(self.A)
        for k in reversed(range(len(self.A))):
            inner = self.delta * slopes[k] * back
            G[k] = inner.T @ h[k]
            back = back + inner @ self.A[k]
        return G

    def descend(self, eta: float, steps: int, below: float = 0.0) -> tuple[Residual, int]:
        """The network after `steps` of descent, or where its loss is below that; and their number."""
        net, done = self, 0
        while done < steps and net.loss > below:
            net, done = replace(net, A=net.A - eta * net.gradient()), done + 1
        return net, done

    def kernel(self) -> tuple[Array, float]:
        """K_ij = sum_k delta^2 (h_k^i.h_k^j) M_k^i M_k^j', (nd, nd), M_k^i the Jacobian of h_L in A_k h_k at point i.

        Beside it the bound lam_min(K) >= sum_k delta^2 lam_min(H_k' H_k) min_i s_min(M_k^i)^2, H_k the states.
        """
        (h, slopes), (n, d) = self.forward, self.X.shape
        K, bound, J = np.zeros((n, d, n, d)), 0.0, np.tile(np.eye(d), (n, 1, 1))
        for k in reversed(range(len(self.A))):
            M, gram = J * slopes[k][:, None, :], self.delta**2 * h[k] @ h[k].T
            K += np.einsum("ij,iab,jcb->iajc", gram, M, M)
            bound += np.linalg.eigvalsh(gram)[0] * np.linalg.svd(M, compute_uv=False)[:, -1].min() ** 2
            J = J + self.delta * M @ self.A[k]
        return K.reshape(n * d, n * d), float(bound)


def scalars(phi: Array, L: float, times: Array) -> Array:
    """The loss sum_j (s_j - phi_j)^2 / 2 of the scalar equations, (T,)."""
    s = flow(lambda s: -(s ** (2.0 - 2.0 / L)) * (s - phi), np.ones(len(phi)), times, rtol=1e-12, atol=1e-14)
    return 0.5 * ((s - phi) ** 2).sum(axis=1)


def start(kind: str, L: int, s: Settings) -> tuple[Residual, float]:
    """A tanh network at its start, inputs of norm 1.5, targets near them; and the step 1 / (L delta^2)."""
    rng = np.random.default_rng(s.seed)
    X = rng.standard_normal((4, 6))
    X *= 1.5 / np.linalg.norm(X, 2)
    Y, delta = X + 0.25 * rng.standard_normal((4, 6)), L ** -STARTS[kind][0]
    noise = SIZE * np.random.default_rng(s.seed + L).standard_normal((L, 6, 6))
    scaled = {"zero": 0.0 * noise, "Brownian": np.cumsum(noise, axis=0) / np.sqrt(L), "small noise": noise / np.sqrt(L)}
    return Residual(X, Y, scaled.get(kind, noise), delta), 1.0 / (L * delta**2)


def _linear(s: Settings) -> Items:
    phi, times = np.array([0.4, 1.3, 2.5]), np.r_[np.linspace(0.0, 6.0, 31), 60.0]
    Q = np.linalg.qr(np.random.default_rng(s.seed).standard_normal((3, 3)))[0]
    P, log = (Q * phi) @ Q.T, (Q * np.log(phi)) @ Q.T

    def net(A: Array) -> Residual:
        return Residual(np.eye(3), P, A, 1.0 / len(A), linear=True)

    def velocity(A: Array) -> Array:
        return -3.0 * len(A) * net(A).gradient()

    paths = {L: flow(velocity, np.zeros((L, 3, 3)), times, rtol=1e-10, atol=1e-12) for L in s.linear_depths}
    losses = {L: np.array([3.0 * net(A).loss for A in path]) for L, path in paths.items()}
    solved = {L: scalars(phi, L, times) for L in (*s.linear_depths, np.inf)}
    shallow, deep = s.linear_depths[0], s.linear_depths[-1]
    ends = [descend(velocity, paths[shallow][0], h, times[10]) for h in (0.02, 0.01)]
    marks = list[Mark]()
    for (L, loss), colour in zip(losses.items(), (POSITIVE, NTK, F1, F2), strict=False):
        marks += [line(times[:-1], solved[L][:-1], colour), dots(times[:-1], loss[:-1], colour, f"L = {L}", size=3.5)]
    return [
        panel("Linear layers: loss", *marks, below="lines: scalar equations; dots: nets", xlabel="flow time", log="y"),
        compare("linear-curve", "Linear: the loss follows the scalar equations (largest relative error).",
                max(np.abs(loss / solved[L] - 1.0)[:-1].max() for L, loss in losses.items()), within=1e-7),
        compare("equal-layers", "Linear: all layers stay equal.",
                max(np.abs(path - path[:, :1]).max() for path in paths.values()), within=1e-10),
        compare("depth-limit", "L |A - log P| tends to max (log phi)^2 / 2.",
                deep * np.linalg.norm(paths[deep][-1, 0] - log, 2), "=", (np.log(phi) ** 2).max() / 2.0, within=0.02),
        halves("The distance of descent from the flow", [distance(end, paths[shallow][10]) for end in ends]),
        mistake("infinite-depth", f"The equations of infinite depth describe {shallow} layers.",
                np.abs(losses[shallow] / solved[np.inf] - 1.0)[:-1].max(), within=1e-7),
    ]  # fmt: skip


def _rates(s: Settings) -> Items:
    """From any start, at the end: one step, the mean of many, and the bound on lam_min(K)."""
    one, mean, bounds = [], [], []
    for kind, L in product(STARTS, s.rate_depths):
        net, step = start(kind, L, s)
        eta, n = step / 2.0, len(net.X)  # eta lam_max(K) / n is 9/32 at A = 0 and stays below 1: lam_min is slowest
        late, _ = net.descend(eta, 10_000, LATE)
        last, steps = late.descend(eta, 10_000, LAST)
        (K, bound), (before, r) = last.kernel(), ((end.forward[0][-1] - net.Y).ravel() for end in (late, last))
        lam, modes = np.linalg.eigh(K)
        one.append((last.descend(eta, 1)[0].loss / last.loss, ((r - eta / n * K @ r) ** 2).sum() / (r @ r)))
        slowest, share = (1.0 - eta * lam[0] / n) ** 2, (modes[:, 0] @ before) ** 2 / (before @ before)
        reach = slowest * (1.0 - share ** (1.0 / steps)) + 1e-5
        mean.append(abs((last.loss / late.loss) ** (1.0 / steps) - slowest) / reach)
        bounds.append(bound / lam[0])
    measured, predicted = max(one, key=lambda pair: abs(pair[0] - pair[1]))
    return [
        compare("late-ratio", "Tanh: the late loss ratio a step is that of I - eta K / n (worst start and depth).",
                measured, "=", predicted, within=1e-6),
        compare("late-rate", "Its mean over six decades is (1 - eta lam_min(K) / n)^2, up to a bound (error over it).",
                max(mean), "<=", 1.0),
        compare("kernel-bound", "The bound on lam_min(K) from the Jacobians holds (largest ratio).",
                max(bounds), "<=", 1.0, within=1e-9),
    ]  # fmt: skip


def _roughness(s: Settings) -> Items:
    """V2 after 100 steps: that of the start plus O(1/L)."""
    L, found, marks = np.array(s.depths), {}, list[Mark]()
    for (kind, (_, factor)), colour in zip(STARTS.items(), (INK, F1, F2, POSITIVE), strict=True):
        ends = [net.descend(eta, 100)[0].A for net, eta in (start(kind, depth, s) for depth in s.depths)]
        found[kind] = np.array([(np.diff(A, axis=0) ** 2).sum() for A in ends])
        expected = factor * 6**2 * SIZE**2 * (L - 1) / L * (L if kind == "rough noise" else 1.0)
        marks += [dots(L, found[kind], colour, f"start: {kind}"), line(L, expected, colour, style="--")]
    late = L >= 32
    growth = {kind: v[-1] / v[late][0] for kind, v in found.items()}
    return [
        panel("Tanh layers: V2 in depth after training", *marks,
              line(L, found["zero"][0] * L[0] / L, MUTED, "slope 1 / L", style=":"),
              below="dashed: expected at the start", xlabel="depth L", log="xy", legend="upper left", ylim=(1e-4, 1e5)),
        compare("smooth", "From zero layers V2 falls like 1/L: training adds what is Lipschitz in depth (exponent).",
                -exponent(L[late], found["zero"][late]), "=", 1.0, within=0.1),
        compare("bounded", f"At L = {L[-1]} V2 is at most 1.5 times that at 32 (first three starts).",
                max(growth[kind] for kind in ("zero", "Brownian", "small noise")), "<=", 1.5),
        mistake("rough", "V2 is bounded for independent layers that do not shrink.", growth["rough noise"], "<=", 1.5),
    ]  # fmt: skip


LAB = Lab(
    "residual-networks", "Cont, Rossier and Xu, deep residual networks (arXiv 2204.07261)",
    "descent with scalar equations, tangent-kernel rates and the 2-variation in depth",
    (_linear, _rates, _roughness), (3.0, 10.0),
    Settings(linear_depths=(4, 16, 64, 256), rate_depths=(8, 32, 128), depths=(8, 32, 128, 512)),
)  # fmt: skip
