"""Deep residual networks h_(k+1) = h_k + delta sigma(A_k h_k), k < L: rate of descent, and roughness in depth.

Linear, A = 0 at the start, white inputs, positive definite target P, loss |prod (I + delta A_k) - P|^2 / 2: all layers
stay equal and commute with P, and each eigenvalue s of the product obeys, in time units of 1 / (L delta^2),

    s' = -s^(2 - 2/L) (s - phi),   s(0) = 1,        A_k = (s^(1/L) - 1) / delta -> log P as L -> inf;

the distance from log P is (log phi)^2 / (2L) to first order. Tanh, loss sum_i |h_L^i - y^i|^2 / (2n): near its limit
descent multiplies the residual by I - eta K / n, hence the loss by (1 - eta lam_min(K) / n)^2 a step in the end, where
with H_k the states and M_k^i the Jacobian of the output in A_k h_k,

    K_ij = sum_k delta^2 (h_k^i.h_k^j) M_k^i M_k^j',  lam_min(K) >= sum_k delta^2 lam_min(H_k' H_k) min_i s_min(M_k^i)^2

The 2-variation V2 = sum_k |A_(k+1) - A_k|^2 is that of the start plus O(1/L): training adds what is smooth in depth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..plots.style import F1, F2, INK, MUTED, NTK, POSITIVE
from .panels import finish, two_panels
from .shape import Lab, LabFinding, LabResult, compare

Array = NDArray[np.float64]

SIZE = 0.2  # standard deviation of an entry of the noise
# delta = L^-power; V2 of the start is d^2 SIZE^2 times this factor (L - 1) / L, times L for rough noise.
STARTS = {"zero": (1.0, 0.0), "Brownian": (1.0, 1.0), "small noise": (0.5, 2.0), "rough noise": (1.0, 2.0)}


@dataclass(frozen=True)
class Settings:
    """Linear: eigenvalues phi of the target. Tanh: n points in d dimensions, `steps` of descent."""

    seed: int = 0
    phi: tuple[float, ...] = (0.4, 1.3, 2.5)
    linear_depths: tuple[int, ...] = (4, 16, 64)
    n: int = 4
    d: int = 6
    rate_depths: tuple[int, ...] = (8, 32)
    steps: int = 500
    depths: tuple[int, ...] = (8, 32, 128)
    short: int = 100


def chain(B: Array) -> tuple[Array, Array]:
    """Products before each layer, B_(k-1) ... B_0, and after it, B_(L-1) ... B_(k+1); (L + 1, d, d) and (L, d, d)."""
    L, d = B.shape[:2]
    before, after = np.empty((L + 1, d, d)), np.empty((L, d, d))
    before[0] = after[-1] = np.eye(d)
    for k in range(L):
        before[k + 1] = B[k] @ before[k]
    for k in range(L - 1, 0, -1):
        after[k - 1] = after[k] @ B[k]
    return before, after


def pull(P: Array, A: Array) -> Array:
    """Velocity of the layers A (L, d, d) of the linear network, delta = 1/L, in these time units."""
    before, after = chain(np.eye(len(P)) + A / len(A))
    return after.transpose(0, 2, 1) @ (P - before[-1]) @ before[:-1].transpose(0, 2, 1)


def linear_flow(P: Array, L: int, times: Array) -> Array:
    """Layers (T, L, d, d) of the linear flow at these times."""
    from scipy.integrate import solve_ivp

    def field(_: float, A: Array) -> Array:
        return pull(P, A.reshape(L, *P.shape)).ravel()

    path = solve_ivp(field, (0.0, times[-1]), np.zeros(L * P.size), "DOP853", times, rtol=1e-10, atol=1e-12)
    return path.y.T.reshape(-1, L, *P.shape)


def scalars(phi: Array, L: float, times: Array) -> Array:
    """s(t) for each eigenvalue, (T, d)."""
    from scipy.integrate import solve_ivp

    def field(_: float, s: Array) -> Array:
        return -(s ** (2.0 - 2.0 / L)) * (s - phi)

    return solve_ivp(field, (0.0, times[-1]), np.ones(len(phi)), "DOP853", times, rtol=1e-12, atol=1e-14).y.T


@dataclass(frozen=True)
class Residual:
    """A tanh network on X (n, d) with targets Y (n, d); A (L, d, d); delta."""

    X: Array
    Y: Array
    A: Array
    delta: float

    def forward(self) -> tuple[Array, Array]:
        """States h_0 ... h_L (L + 1, n, d) and slopes tanh'(A_k h_k) (L, n, d)."""
        h, slopes = [self.X], []
        for A in self.A:
            u = np.tanh(h[-1] @ A.T)
            h.append(h[-1] + self.delta * u)
            slopes.append(1.0 - u * u)
        return np.array(h), np.array(slopes)

    def gradient(self) -> tuple[float, Array]:
        """Loss, and its gradient (L, d, d)."""
        h, slopes = self.forward()
        back, G = (h[-1] - self.Y) / len(self.X), np.empty_like(self.A)
        loss = 0.5 * len(self.X) * float((back**2).sum())
        for k in range(len(self.A) - 1, -1, -1):
            inner = self.delta * slopes[k] * back
            G[k] = inner.T @ h[k]
            back = back + inner @ self.A[k]
        return loss, G

    def train(self, eta: float, steps: int) -> Residual:
        """The network after that many steps, or where rounding would be felt."""
        net = self
        for _ in range(steps):
            loss, G = net.gradient()
            if loss < 1e-18:
                break
            net = replace(net, A=net.A - eta * G)
        return net

    def kernel(self) -> tuple[Array, float]:
        """The tangent kernel K (nd, nd), and the lower bound on its smallest eigenvalue."""
        h, slopes = self.forward()
        n, d = self.X.shape
        K, bound, J = np.zeros((n, d, n, d)), 0.0, np.tile(np.eye(d), (n, 1, 1))
        for k in range(len(self.A) - 1, -1, -1):
            M = J * slopes[k][:, None, :]
            K += self.delta**2 * np.einsum("ij,iab,jcb->iajc", h[k] @ h[k].T, M, M)
            smallest = np.linalg.svd(M, compute_uv=False)[:, -1].min()
            bound += self.delta**2 * np.linalg.eigvalsh(h[k] @ h[k].T)[0] * smallest**2
            J = J + self.delta * M @ self.A[k]
        return K.reshape(n * d, n * d), float(bound)

    def variation(self) -> float:
        """V2."""
        return float((np.diff(self.A, axis=0) ** 2).sum())


def start(kind: str, L: int, d: int, seed: int) -> tuple[Array, float]:
    """Layers (L, d, d) and delta."""
    noise, delta = SIZE * np.random.default_rng(seed).standard_normal((L, d, d)), L ** -STARTS[kind][0]
    scaled = {"zero": 0.0 * noise, "Brownian": np.cumsum(noise, axis=0) / np.sqrt(L), "small noise": noise / np.sqrt(L)}
    return scaled.get(kind, noise), delta


def _linear(settings: Settings) -> tuple[list[LabFinding], dict[str, Any]]:
    phi, d = np.array(settings.phi), len(settings.phi)
    Q = np.linalg.qr(np.random.default_rng(settings.seed).standard_normal((d, d)))[0]
    P, log = (Q * phi) @ Q.T, (Q * np.log(phi)) @ Q.T
    times = np.r_[np.linspace(0.0, 6.0, 31), 60.0]
    curves, layers, weights, errors = {}, [], [], []
    for L in settings.linear_depths:
        A, s = linear_flow(P, L, times), scalars(phi, L, times)
        loss = np.array([0.5 * float(((chain(np.eye(d) + a / L)[0][-1] - P) ** 2).sum()) for a in A])
        solved = 0.5 * ((s - phi) ** 2).sum(axis=1)
        curves[L] = np.array([times, loss, solved])[:, :-1]
        errors.append(float(np.abs(loss / solved - 1.0)[:-1].max()))
        layers.append(float(np.abs(A - A[:, :1]).max()))
        weights.append(L * float(np.linalg.norm(A[-1, 0] - log, 2)))
    L = settings.linear_depths[0]
    deep = 0.5 * ((scalars(phi, np.inf, times) - phi) ** 2).sum(axis=1)
    distances = []
    for step in (0.02, 0.01):
        A = np.zeros((L, d, d))
        for _ in range(round(2.0 / step)):
            A = A + step * pull(P, A)
        distances.append(float(np.linalg.norm(A[0] - linear_flow(P, L, np.array([0.0, 2.0]))[-1, 0])))
    findings = [
        compare("linear-curve", "Linear: the loss follows the scalar equations (largest relative error).",
                max(errors), "=", 0.0, within=1e-7),
        compare("equal-layers", "Linear: all layers stay equal.", max(layers), "=", 0.0, within=1e-10),
        compare("depth-limit", "L |A - log P| tends to max (log phi)^2 / 2.",
                weights[-1], "=", float((np.log(phi) ** 2).max()) / 2.0, within=0.02),
        compare("descent-order", "The distance of descent from the flow halves with the step.",
                distances[0] / distances[1], "=", 2.0, within=0.1),
        compare("infinite-depth", f"The equations of infinite depth describe {L} layers.",
                float(np.abs(curves[L][1] / deep[:-1] - 1.0).max()), "=", 0.0, within=1e-7, broken=True),
    ]  # fmt: skip
    return findings, {"curves": curves}


def _tanh(settings: Settings) -> tuple[list[LabFinding], dict[str, Any]]:
    rng, s = np.random.default_rng(settings.seed), settings
    X = rng.standard_normal((s.n, s.d))
    X *= 1.5 / np.linalg.norm(X, 2)  # a step of eta is then stable
    Y = X + 0.25 * rng.standard_normal((s.n, s.d))
    ratios, found = [], {}
    for kind, (power, _) in STARTS.items():
        for L in s.rate_depths:
            eta = L ** (2.0 * power - 1.0)
            net = Residual(X, Y, *start(kind, L, s.d, s.seed + L)).train(eta, s.steps)
            (K, bound), r = net.kernel(), (net.forward()[0][-1] - Y).ravel()
            smallest = np.linalg.eigvalsh(K)[0]
            ratio = replace(net, A=net.A - eta * net.gradient()[1]).gradient()[0] / net.gradient()[0]
            predicted = ((r - eta / s.n * K @ r) ** 2).sum() / (r**2).sum()
            ratios.append((ratio, predicted, (1.0 - eta * smallest / s.n) ** 2, bound / smallest))
        nets = [Residual(X, Y, *start(kind, L, s.d, s.seed + L)) for L in s.depths]
        ends = [net.train(L ** (2.0 * power - 1.0), s.short) for net, L in zip(nets, s.depths, strict=True)]
        found[kind] = np.array([net.variation() for net in ends])
    measured, predicted, slowest, bounds = np.array(ratios).T
    worst = int(np.argmax(np.abs(measured - predicted)))
    i = s.depths.index(32)
    smooth = np.log(found["zero"][i] / found["zero"][-1]) / np.log(s.depths[-1] / 32.0)
    growth = {kind: v[-1] / v[i] for kind, v in found.items()}
    findings = [
        compare("late-ratio", "Tanh: the late loss ratio a step is that of I - eta K / n (worst start and depth).",
                measured[worst], "=", predicted[worst], within=1e-5),
        compare("late-rate", "That ratio has come to (1 - eta lam_min(K) / n)^2 (worst distance).",
                np.abs(measured - slowest).max(), "=", 0.0, within=1e-3),
        compare("kernel-bound", "The bound on lam_min(K) from states and Jacobians holds (largest ratio).",
                bounds.max(), "<=", 1.0, within=1e-9),
        compare("smooth", "From zero layers V2 falls like 1/L: training adds what is Lipschitz in depth (exponent).",
                smooth, "=", 1.0, within=0.1),
        compare("bounded", f"At L = {s.depths[-1]} V2 is at most 1.5 times that at 32 (first three starts).",
                max(growth[kind] for kind in ("zero", "Brownian", "small noise")), "<=", 1.5),
        compare("rough", "V2 does not grow for independent layers that do not shrink with L.",
                growth["rough noise"], "<=", 1.5, broken=True),
    ]  # fmt: skip
    return findings, {"depths": np.array(s.depths), "variation": found, "unit": np.array(s.d**2 * SIZE**2)}


def run(settings: Settings) -> LabResult:
    """Linear networks, then tanh networks."""
    linear, arrays = _linear(settings)
    tanh, more = _tanh(settings)
    return LabResult((*linear, *tanh), {**arrays, **more})


def figure(result: LabResult) -> Figure:
    """Left: loss of linear networks on their scalar equations. Right: 2-variation in depth, on that of the start."""
    (drawing, left, right), a = two_panels(4.4), result.arrays
    for (L, (times, loss, solved)), colour in zip(a["curves"].items(), (POSITIVE, NTK, F1, F2), strict=False):
        left.plot(times, solved, color=colour, linewidth=1.0)
        left.plot(times, loss, "o", color=colour, markersize=3.5, label=f"L = {L}")
    below = "lines: scalar equations; dots: all layers trained"
    finish(left, "Linear layers: loss", below, x="flow time", log="y")
    L = a["depths"]
    for (kind, (_, factor)), colour in zip(STARTS.items(), (INK, F1, F2, POSITIVE), strict=True):
        height = factor * a["unit"] * (L - 1) / L * (L if kind == "rough noise" else 1.0)
        if factor:
            right.plot(L, height, "--", color=colour, linewidth=1.0)
        right.plot(L, a["variation"][kind], "o", color=colour, markersize=5, label=f"start: {kind}")
    right.plot(L, a["variation"]["zero"][0] * L[0] / L, ":", color=MUTED, linewidth=1.0, label="slope 1 / L")
    right.set_ylim(1e-3, 1e5)
    below = "dashed: expected value at the start"
    finish(right, "Tanh layers: V2 in depth after training", below, x="depth L", log="xy", legend="upper left")
    return drawing


LAB = Lab(
    "residual-networks",
    "Cont, Rossier and Xu, deep residual networks (arXiv 2204.07261)",
    "descent with scalar equations, tangent-kernel rates and the 2-variation in depth",
    Settings(), Settings(linear_depths=(4, 16, 64, 256), rate_depths=(8, 32, 128), depths=(8, 32, 128, 512)),
    (3.0, 10.0), run, figure,
)  # fmt: skip
