"""Power laws of the loss of a wide network: exponent and constant, from where the target is not smooth.

Lazy flow f' = -T (f - f*), L = E_p (f - f*)^2 / 2, T g = int K g p, ReLU on z = (x, 1), unit directions. A jump (k = 0)
or a kink (k = 1) of f*, of size Delta across a surface S, leaves

    L(t) = Gamma((1 + 2k) / q) / (2 pi q)  int_S p Delta^2 (2 p b t)^(-(1 + 2k) / q) dS,

where b |xi|^-q is the Fourier symbol of what is not smooth in K near the diagonal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import gamma

from ..features import RELU
from ..features.kernels import Kernel
from ..plots.style import F1, F2, MUTED, NTK, POSITIVE
from .numerics import Array
from .panels import Mark, dots, line, panel
from .shape import Lab, LabResult, compare, halves, mistake, part

COLOURS = {"jump": NTK, "kinks": F1, "output-layer": F2, "disk": POSITIVE}  # of what is drawn
SCALES = {"lazy": 2560.0, "rich": 1.0}  # of trained networks


@dataclass(frozen=True)
class Settings:
    """Kernel flow on N points of a line, side^2 of a square; networks of m neurons on n points up to time `last`."""

    N: int = 1000
    side: int = 32
    n: int = 128
    m: int = 400
    last: float = 100.0


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
        """L(t) for both layers (q = d + 1) or, with d = 1, the output layer alone: q = 4, b = 1 / (pi (1 + x^2)^2).

        Both layers, unit normal v: b = (1 + |x|^2) / (2 pi) 2^d pi^((d-1)/2) Gamma((d+1)/2) (1 + (x.v)^2)^(-(d+1)/2),
        which is 1/pi for d = 1.
        """
        d, r = self.x.shape[1], 1.0 + (self.x**2).sum(axis=1)
        q, b = (d + 1, r / (2.0 * np.pi) * 2.0**d) if tangent else (4, 1.0 / (np.pi * r * r))
        if tangent:
            b *= np.pi ** ((d - 1) / 2) * gamma((d + 1) / 2)
            b *= (1.0 + (self.x * self.normal).sum(axis=1) ** 2) ** (-(d + 1) / 2)
        power = (1 + 2 * self.order) / q
        terms = self.density * self.size**2 * (2.0 * self.density * b * np.asarray(t)[:, None]) ** -power
        return gamma(power) / (2.0 * np.pi * q) * (terms @ self.dS)


def on_line(x: list[float], size: list[float], density: list[float], order: int = 0) -> Singularities:
    """Singularities of a function on the line."""
    one = np.ones(len(x))
    return Singularities(np.array(x)[:, None], one[:, None], one, np.array(size), np.array(density), order)


@dataclass(frozen=True)
class Case:
    """A target on points X (N, d) with its singularities; the times and the relative tolerance of its law."""

    X: Array
    target: Callable[[Array], Array]
    where: Singularities
    times: tuple[float, ...] = (1e3, 3e3, 1e4)
    tolerance: float = 0.01
    tangent: bool = True

    @cached_property
    def modes(self) -> tuple[Array, Array]:
        """Eigenvalues of K / N, and the squared coefficients of the target."""
        Z = np.column_stack([self.X, np.ones(len(self.X))])
        rates, U = np.linalg.eigh(Kernel(RELU, tangent=self.tangent)(Z) / len(Z))
        return np.maximum(rates, 0.0), (U.T @ self.target(self.X)) ** 2 / len(Z)

    def loss(self, t: Array) -> Array:
        """L(t) of the kernel flow on the points, of equal mass."""
        rates, squares = self.modes
        return 0.5 * np.exp(-2.0 * np.outer(t, rates)) @ squares

    def law(self, t: Array) -> Array:
        """The predicted L(t) for large t."""
        return self.where.law(t, self.tangent)

    def ratios(self, t: Array) -> Array:
        """Loss over law."""
        return self.loss(t) / self.law(t)


def line_of(n: int) -> Array:
    """(n, 1) midpoints of n cells of [-1, 1]."""
    return ((2.0 * np.arange(n) + 1.0) / n - 1.0)[:, None]


def step(X: Array) -> Array:
    """The target with one jump."""
    return np.where(X[:, 0] > 0.2, 1.0, 0.0)


JUMP = on_line([0.2], [1.0], [0.5])


def cases(settings: Settings) -> dict[str, Case]:
    """What the law is compared with."""
    uniform, side = line_of(settings.N), line_of(settings.side)[:, 0]
    linear = 2.0 * np.sqrt((uniform + 1.0) / 2.0) - 1.0  # density (x + 1) / 2
    square = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    angle = np.arange(400) * np.pi / 200.0
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    disk = Singularities(0.6 * ring, ring, np.full(400, 0.6 * np.pi / 200), np.ones(400), np.full(400, 0.25))
    jumps = on_line([-0.3, 0.6], [1.0, 2.0], [0.35, 0.8])
    kinks = on_line([-0.6, 0.0, 0.5], [1.0, -2.2, 1.2], [0.5] * 3, 1)  # 0 at the boundary, which then does not count

    def tent(X: Array) -> Array:
        return np.interp(X[:, 0], [-1.0, -0.6, 0.0, 0.5, 1.0], [0.0, 0.0, 0.6, 0.0, 0.0])

    return {
        "jump": Case(uniform, step, JUMP),
        "two-jumps": Case(linear, lambda X: ((X > -0.3) + 2.0 * (X > 0.6))[:, 0], jumps),
        "kinks": Case(uniform, tent, kinks, (1e4, 3e4), 0.03),  # three kinks interfere before
        "output-layer": Case(uniform, step, JUMP, (1e5, 3e5, 1e6), 0.01, tangent=False),
        "disk": Case(square, lambda X: 1.0 * (np.hypot(*X.T) < 0.6), disk, (1e3, 3e3), 0.03),  # before the grid is felt
    }


def train(case: Case, m: int, scale: float, t: Array, step: float = 0.5) -> Array:
    """Loss at times t of f = (scale / m) sum_j b_j (a_j.z)_+ under descent on both layers, time unit m / scale^2.

    Equispaced directions, each with both output signs, so that f = 0 at the start.
    """
    angles = 4.0 * np.pi * np.arange(m // 2) / m
    a, b = np.tile(np.column_stack([np.cos(angles), np.sin(angles)]), (2, 1)), np.repeat([1.0, -1.0], m // 2)
    Z, target, losses = np.column_stack([case.X, np.ones(len(case.X))]), case.target(case.X), []
    ends, rate = set(np.round(t / step).astype(int)), step / (scale * len(Z))
    for k in range(max(ends) + 1):
        u = a @ Z.T
        active = np.maximum(u, 0.0)
        r = target - scale / m * (b @ active)
        if k in ends:
            losses.append(0.5 * float(np.mean(r * r)))
        a, b = a + rate * b[:, None] * ((u > 0.0) * r @ Z), b + rate * (active @ r)
    return np.array(losses)


def _flows(settings: Settings) -> LabResult:
    """The law for each case, and two laws for the wrong one."""
    known, findings, marks = cases(settings), [], list[Mark]()
    for name, case in known.items():
        first, last = case.times[0], case.times[-1]
        worst = max(case.ratios(np.array(case.times)), key=lambda ratio: abs(ratio - 1.0))
        sentence = f"Loss over its law, kernel flow, {name.replace('-', ' ')}: worst for t in {first:g} to {last:g}."
        findings.append(compare(name, sentence, worst, "=", 1.0, within=case.tolerance))
        if name in COLOURS:
            t = np.geomspace(1.0, last, 40)
            marks.append(line(t, case.law(t), MUTED, None if marks else "law", style="--"))
            marks.append(dots(t, case.loss(t), COLOURS[name], name.replace("-", " "), size=3))
    far = np.array([1e4])
    jump, kinks, output = JUMP.law(far)[0], known["kinks"].law(far)[0], known["output-layer"].loss(far)[0]
    return part(
        panel("Loss and its law, no fitted constant", *marks, xlabel="time t", log="xy", legend="lower left",
              below="kernel flow; jump, kinks and disk with both layers"),
        *findings,
        mistake("wrong-layer", "The law of both layers describes the output layer.",
                output / jump, "=", 1.0, within=0.04),
        mistake("wrong-order", "The law of the kinks describes a jump.",
                known["jump"].loss(far)[0] / kinks, "=", 1.0, within=0.04),
    )  # fmt: skip


def _networks(s: Settings) -> LabResult:
    """The law for trained networks, lazy and not."""
    case, t, early = Case(line_of(s.n), step, JUMP), np.geomspace(0.1 * s.last, s.last, 5), np.array([2.0])
    lazy, rich = (train(case, s.m, scale, t) for scale in SCALES.values())
    short = [train(case, s.m, SCALES["lazy"], early, h)[0] / case.loss(early)[0] - 1.0 for h in (0.5, 0.25)]
    return part(
        panel("Loss of trained networks, one jump",
              line(t, case.law(t), MUTED, "law, t^(-1/2)", style="--"),
              dots(t, lazy, NTK, "trained, lazy"),
              dots(t, rich, POSITIVE, "trained, rich"),
              xlabel="time t", log="xy", legend="lower left"),
        compare("trained", "Loss of a trained lazy network over the law.",
                lazy[-1] / case.law(t)[-1], "=", 1.0, within=0.04),
        halves("The distance of descent from the kernel flow", short),
        mistake("rich", "The law describes a network that is not lazy.",
                rich[-1] / case.law(t)[-1], "=", 1.0, within=0.04),
    )  # fmt: skip


def run(settings: Settings) -> LabResult:
    """The law for kernel flows, then for trained networks."""
    return _flows(settings) + _networks(settings)


LAB = Lab(
    "power-laws",
    "Velikanov and Yarotsky, explicit loss asymptotics (NeurIPS 2021)",
    "kernel flows and trained networks with C t^-xi, C and xi from the jumps and kinks of the target",
    Settings(), Settings(N=3000, side=60, n=256, m=1600, last=1000.0),
    (2.0, 25.0), run,
)  # fmt: skip
