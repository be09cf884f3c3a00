"""Power laws of the loss of a wide network: exponent and constant, from where the target is not smooth.

Lazy flow f' = -T (f - f*), L = E_p (f - f*)^2 / 2, T g = int K g p. Near the diagonal K is smooth but for a term
homogeneous in x - x' with the Fourier symbol b |xi|^-q. A jump (k = 0) or a kink (k = 1) of f*, of size Delta across a
surface S, has the spectrum Delta^2 s^(-2-2k) along the normal, of which exp(-2 p b s^-q t) is left at time t. Hence

    L(t) = Gamma((1 + 2k) / q) / (2 pi q)  int_S p Delta^2 (2 p b t)^(-(1 + 2k) / q) dS.

ReLU on z = (x, 1), unit directions. Both layers (tangent kernel): q = d + 1 and, with the unit normal v,
b = (1 + |x|^2) / (2 pi) 2^d pi^((d-1)/2) Gamma((d+1)/2) (1 + (x.v)^2)^(-(d+1)/2), which is 1/pi for d = 1.
Output layer alone, d = 1: q = 4, b = 1 / (pi (1 + x^2)^2). A kink counts alone if f* vanishes at the boundary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..features import RELU
from ..features.kernels import Kernel
from ..plots.style import F1, F2, MUTED, NTK, POSITIVE
from .panels import finish, two_panels
from .shape import Lab, LabFinding, LabResult, compare

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """Kernel flow on N points of a line, side^2 of a square; networks of m neurons on n points up to time `last`."""

    N: int = 1000
    side: int = 32
    n: int = 128
    m: int = 400
    last: float = 100.0
    lazy: float = 2560.0
    rich: float = 1.0


@dataclass(frozen=True)
class Singularities:
    """Points x (K, d) of S, unit normals, weights dS, sizes of the jumps (order 0) or kinks (order 1), densities p."""

    x: Array
    normal: Array
    dS: Array
    size: Array
    density: Array
    order: int = 0

    def law(self, t: Array, tangent: bool = True) -> Array:
        """L(t) as above."""
        from scipy.special import gamma

        d, r = self.x.shape[1], 1.0 + (self.x**2).sum(axis=1)
        q = d + 1 if tangent else 4
        if tangent:
            b = r / (2.0 * np.pi) * 2.0**d * np.pi ** ((d - 1) / 2) * gamma((d + 1) / 2)
            b *= (1.0 + (self.x * self.normal).sum(axis=1) ** 2) ** (-(d + 1) / 2)
        else:
            b = 1.0 / (np.pi * r * r)
        power = (1 + 2 * self.order) / q
        terms = self.density * self.size**2 * (2.0 * self.density * b * np.asarray(t)[:, None]) ** -power
        return gamma(power) / (2.0 * np.pi * q) * (terms @ self.dS)


def on_line(x: list[float], size: list[float], density: list[float], order: int = 0) -> Singularities:
    """Singularities of a function on the line."""
    one = np.ones(len(x))
    return Singularities(np.array(x)[:, None], one[:, None], one, np.array(size), np.array(density), order)


def quantiles(N: int, inverse: Callable[[Array], Array]) -> Array:
    """(N, 1) midpoints of N cells of equal mass."""
    return inverse((np.arange(N) + 0.5) / N)[:, None]


@dataclass(frozen=True)
class Case:
    """A target on points X (N, d) with its singularities; the times and the relative tolerance of its law."""

    X: Array
    target: Array
    where: Singularities
    times: tuple[float, ...] = (1e3, 3e3, 1e4)
    tolerance: float = 0.01
    tangent: bool = True

    @cached_property
    def modes(self) -> tuple[Array, Array]:
        """Eigenvalues of K / N, and the squared coefficients of the target."""
        Z = np.column_stack([self.X, np.ones(len(self.X))])
        rates, U = np.linalg.eigh(Kernel(RELU, tangent=self.tangent)(Z) / len(Z))
        return np.maximum(rates, 0.0), (U.T @ self.target) ** 2 / len(Z)

    def loss(self, t: Array) -> Array:
        """L(t) of the kernel flow on the points, of equal mass."""
        rates, squares = self.modes
        return 0.5 * np.exp(-2.0 * np.outer(t, rates)) @ squares

    def law(self, t: Array) -> Array:
        """The predicted L(t) for large t."""
        return self.where.law(t, self.tangent)


def step_on(X: Array) -> Array:
    """The target with one jump."""
    return np.where(X[:, 0] > 0.2, 1.0, 0.0)


def cases(settings: Settings) -> dict[str, Case]:
    """What the law is compared with."""
    uniform = quantiles(settings.N, lambda u: 2.0 * u - 1.0)
    linear = quantiles(settings.N, lambda u: 2.0 * np.sqrt(u) - 1.0)  # density (x + 1) / 2
    x = linear[:, 0]
    tent = np.interp(uniform[:, 0], [-1.0, -0.6, 0.0, 0.5, 1.0], [0.0, 0.0, 0.6, 0.0, 0.0])
    side = (np.arange(settings.side) + 0.5) * 2.0 / settings.side - 1.0
    square = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    angle = np.arange(400) * np.pi / 200.0
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    disk = Singularities(0.6 * ring, ring, np.full(400, 0.6 * np.pi / 200), np.ones(400), np.full(400, 0.25))
    jump, jumps = on_line([0.2], [1.0], [0.5]), on_line([-0.3, 0.6], [1.0, 2.0], [0.35, 0.8])
    kinks = on_line([-0.6, 0.0, 0.5], [1.0, -2.2, 1.2], [0.5] * 3, 1)
    return {
        "jump": Case(uniform, step_on(uniform), jump),
        "two-jumps": Case(linear, 1.0 * (x > -0.3) + 2.0 * (x > 0.6), jumps),
        "kinks": Case(uniform, tent, kinks, (1e4, 3e4), 0.03),  # three kinks interfere before
        "output-layer": Case(uniform, step_on(uniform), jump, (1e5, 3e5, 1e6), 0.01, tangent=False),
        "disk": Case(square, 1.0 * (np.hypot(*square.T) < 0.6), disk, (1e3, 3e3), 0.03),  # the grid is felt later
    }


def train(case: Case, m: int, scale: float, t: Array, step: float = 0.5) -> Array:
    """Loss at times t of f = (scale / m) sum_j b_j (a_j.z)_+ under descent on both layers, time unit m / scale^2.

    Equispaced directions, each with both output signs, so that f = 0 at the start.
    """
    angles = 4.0 * np.pi * np.arange(m // 2) / m
    a, b = np.tile(np.column_stack([np.cos(angles), np.sin(angles)]), (2, 1)), np.repeat([1.0, -1.0], m // 2)
    Z, losses = np.column_stack([case.X, np.ones(len(case.X))]), []
    ends, rate = set(np.round(t / step).astype(int)), step / (scale * len(Z))
    for k in range(max(ends) + 1):
        u = a @ Z.T
        active = np.maximum(u, 0.0)
        r = case.target - scale / m * (b @ active)
        if k in ends:
            losses.append(0.5 * float(np.mean(r * r)))
        a, b = a + rate * b[:, None] * ((u > 0.0) * r @ Z), b + rate * (active @ r)
    return np.array(losses)


def run(settings: Settings) -> LabResult:
    """The law for each case, then for trained networks."""
    findings, arrays = list[LabFinding](), dict[str, Any]()
    known = cases(settings)
    for name, case in known.items():
        t, at = np.geomspace(1.0, case.times[-1], 40), np.array(case.times)
        ratios = case.loss(at) / case.law(at)
        worst = float(ratios[np.argmax(np.abs(ratios - 1.0))])
        sentence = f"Loss over its law, kernel flow, {name.replace('-', ' ')}: worst for t in {at[0]:g} to {at[-1]:g}."
        findings.append(compare(name, sentence, worst, "=", 1.0, within=case.tolerance))
        arrays[name] = (t, case.loss(t), case.law(t))
    jump, output, far, early = known["jump"], known["output-layer"], np.array([1e4]), np.array([2.0])
    coarse = quantiles(settings.n, lambda u: 2.0 * u - 1.0)
    small, t = Case(coarse, step_on(coarse), jump.where), np.geomspace(0.1 * settings.last, settings.last, 5)
    nets = {kind: train(small, settings.m, getattr(settings, kind), t) for kind in ("lazy", "rich")}
    short = [train(small, settings.m, settings.lazy, early, h)[0] / small.loss(early)[0] - 1.0 for h in (0.5, 0.25)]
    lazy, rich = (net[-1] / small.law(t)[-1] for net in nets.values())
    layer, order = output.loss(far)[0] / jump.law(far)[0], jump.loss(far)[0] / known["kinks"].law(far)[0]
    findings += [
        compare("trained", "Loss of a trained lazy network over the law.", lazy, "=", 1.0, within=0.04),
        compare("descent-order", "The distance of descent from the kernel flow halves with the step.",
                short[0] / short[1], "=", 2.0, within=0.1),
        compare("rich", "The law describes a network that is not lazy.", rich, "=", 1.0, within=0.04, broken=True),
        compare("wrong-layer", "The law of both layers describes the output layer.",
                layer, "=", 1.0, within=0.04, broken=True),
        compare("wrong-order", "The law of the kinks describes a jump.", order, "=", 1.0, within=0.04, broken=True),
    ]  # fmt: skip
    arrays["nets"] = (t, small.law(t), nets)
    return LabResult(tuple(findings), arrays)


def figure(result: LabResult) -> Figure:
    """Left: losses on the heights that the law predicts. Right: trained networks."""
    (drawing, left, right), a = two_panels(4.4), result.arrays
    colours = {"jump": NTK, "kinks": F1, "output-layer": F2, "disk": POSITIVE}
    for name, colour in colours.items():
        t, loss, law = a[name]
        left.plot(t, law, "--", color=MUTED, linewidth=1.0, label="law" if name == "jump" else None)
        left.plot(t, loss, "o", color=colour, markersize=3, label=name.replace("-", " "))
    below = "kernel flow; jump, kinks and disk with both layers"
    finish(left, "Loss and its law, no fitted constant", below, x="time t", log="xy", legend="lower left")
    t, law, nets = a["nets"]
    right.plot(t, law, "--", color=MUTED, linewidth=1.2, label="law, t^(-1/2)")
    for kind, colour in (("lazy", NTK), ("rich", POSITIVE)):
        right.plot(t, nets[kind], "o", color=colour, label=f"trained, {kind}")
    finish(right, "Loss of trained networks, one jump", x="time t", log="xy", legend="lower left")
    return drawing


LAB = Lab(
    "power-laws",
    "Velikanov and Yarotsky, explicit loss asymptotics (NeurIPS 2021)",
    "kernel flows and trained networks with C t^-xi, C and xi from the jumps and kinks of the target",
    Settings(), Settings(N=3000, side=60, n=256, m=1600, last=1000.0),
    (2.0, 25.0), run, figure,
)  # fmt: skip
