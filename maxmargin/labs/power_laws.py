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
from typing import Any

import numpy as np
from scipy.special import gamma

from ..conventions import Array, inputs
from ..features import RELU
from ..features.kernels import Kernel
from ..plots.panels import Mark, dots, line, panel
from ..plots.style import F1, F2, MUTED, NTK, POSITIVE
from .shape import Items, Lab, compare, halves, mistake

COLOURS = {"jump": NTK, "kinks": F1, "output-layer": F2, "disk": POSITIVE}  # of what is drawn
LAZY, RICH = 2560.0, 1.0  # scales of trained networks


@dataclass(frozen=True)
class Settings:
    """Kernel flow on N points of a line, side^2 of a square; networks of m neurons on n points up to time `last`."""

    N: int = 1000
    side: int = 32
    n: int = 128
    m: int = 400
    last: float = 100.0


@dataclass(frozen=True)
class Case:
    """A target (N,) on points X (N, d) of equal mass, with S: points x (K, d), sizes of the jumps (order 0) or kinks
    (order 1), densities p and areas dS; the times and the relative tolerance of its law; both layers, or the output.
    """

    X: Array
    target: Array
    x: Array
    size: Array | float = 1.0
    p: Array | float = 0.5
    order: int = 0
    times: tuple[float, ...] = (1e3, 3e3, 1e4)
    tolerance: float = 0.01
    tangent: bool = True
    dS: float = 1.0

    @cached_property
    def loss(self) -> Callable[[Array], Array]:
        """L(t) of the kernel flow on the points: (1/2) sum_k c_k^2 exp(-2 r_k t), r_k the eigenvalues of K / N."""
        rates, U = np.linalg.eigh(Kernel(RELU, tangent=self.tangent)(inputs(self.X, bias=True)) / len(self.X))
        rates, squares = np.maximum(rates, 0.0), (U.T @ self.target) ** 2 / len(self.X)
        return lambda t: 0.5 * np.exp(-2.0 * np.outer(t, rates)) @ squares

    def law(self, t: Array) -> Array:
        """The predicted L(t) for large t where S is a set of points (d = 1) or a circle around 0.

        Both layers: q = d + 1, b = (1 + |x|^2) / (2 pi) 2^d pi^((d-1)/2) Gamma((d+1)/2) (1 + (x.v)^2)^(-(d+1)/2) with
        the unit normal v, which is 1/pi for d = 1. Output layer alone, d = 1: q = 4, b = 1 / (pi (1 + x^2)^2).
        """
        d, r = self.x.shape[1], 1.0 + (self.x**2).sum(axis=1)  # r = 1 + (x.v)^2, too
        q, b = 4, 1.0 / (np.pi * r * r)
        if self.tangent:
            q, b = d + 1, 2.0**d * np.pi ** ((d - 3) / 2) / 2.0 * gamma((d + 1) / 2) * r ** (1 - (d + 1) / 2)
        power = (1 + 2 * self.order) / q
        terms = self.p * self.size**2 * (2.0 * self.p * b * np.asarray(t)[:, None]) ** -power
        return gamma(power) / (2.0 * np.pi * q) * self.dS * terms.sum(axis=1)


def grid(n: int) -> Array:
    """Midpoints of n cells of [-1, 1]."""
    return (2.0 * np.arange(n) + 1.0) / n - 1.0


def jump(n: int, **how: Any) -> Case:
    """One jump on n points of a line."""
    return Case(grid(n)[:, None], np.where(grid(n) > 0.2, 1.0, 0.0), np.array([[0.2]]), **how)


def cases(s: Settings) -> dict[str, Case]:
    """What the law is compared with."""
    x, angle, corners = grid(s.N), np.arange(400) * np.pi / 200.0, np.array([-0.6, 0.0, 0.5])
    bent = 2.0 * np.sqrt((x + 1.0) / 2.0) - 1.0  # density (x + 1) / 2
    tent = np.interp(x, corners, [0.0, 0.6, 0.0])  # 0 at the boundary, which then does not count
    square = np.stack(np.meshgrid(grid(s.side), grid(s.side)), axis=-1).reshape(-1, 2)
    return {
        "jump": jump(s.N),
        "two-jumps": Case(bent[:, None], (bent > -0.3) + 2.0 * (bent > 0.6), np.array([[-0.3], [0.6]]),
                          size=np.array([1.0, 2.0]), p=np.array([0.35, 0.8])),
        "kinks": Case(x[:, None], tent, corners[:, None], size=np.array([1.0, -2.2, 1.2]), order=1,
                      times=(1e4, 3e4), tolerance=0.03),  # three kinks interfere before
        "output-layer": jump(s.N, times=(1e5, 3e5, 1e6), tangent=False),
        "disk": Case(square, 1.0 * (np.hypot(*square.T) < 0.6), 0.6 * np.column_stack([np.cos(angle), np.sin(angle)]),
                     p=0.25, times=(1e3, 3e3), tolerance=0.03, dS=0.6 * np.pi / 200),  # the grid is felt later
    }  # fmt: skip


def train(case: Case, m: int, scale: float, t: Array, step: float = 0.5) -> Array:
    """Loss at times t of f = (scale / m) sum_j b_j (a_j.z)_+ under descent on both layers, time unit m / scale^2.

    Equispaced directions, each with both output signs, so that f = 0 at the start.
    """
    angles, Z, losses = 4.0 * np.pi * np.arange(m // 2) / m, inputs(case.X, bias=True), []
    a, b = np.tile(np.column_stack([np.cos(angles), np.sin(angles)]), (2, 1)), np.repeat([1.0, -1.0], m // 2)
    ends, rate = set(np.round(t / step).astype(int)), step / (scale * len(Z))
    for k in range(max(ends) + 1):
        u = a @ Z.T
        active = np.maximum(u, 0.0)
        r = case.target - scale / m * (b @ active)
        if k in ends:
            losses.append(0.5 * float(np.mean(r * r)))
        a, b = a + rate * b[:, None] * ((u > 0.0) * r @ Z), b + rate * (active @ r)
    return np.array(losses)


def _flows(s: Settings) -> Items:
    known, findings, marks, far = cases(s), [], list[Mark](), np.array([1e4])
    for name, case in known.items():
        at, t, called = np.array(case.times), np.geomspace(1.0, case.times[-1], 40), name.replace("-", " ")
        worst = max(case.loss(at) / case.law(at), key=lambda ratio: abs(ratio - 1.0))
        sentence = f"Loss over its law, kernel flow, {called}: worst for t in {at[0]:g} to {at[-1]:g}."
        findings.append(compare(name, sentence, worst, "=", 1.0, within=case.tolerance))
        if name in COLOURS:
            marks += [line(t, case.law(t), MUTED, None if marks else "law", style="--"),
                      dots(t, case.loss(t), COLOURS[name], called, size=3)]  # fmt: skip
    return [
        panel("Loss and its law, no fitted constant", *marks, xlabel="time t", log="xy", legend="lower left",
              below="kernel flow; jump, kinks and disk with both layers"),
        *findings,
        mistake("wrong-layer", "The law of both layers describes the output layer.",
                (known["output-layer"].loss(far) / known["jump"].law(far))[0], "=", 1.0, within=0.04),
        mistake("wrong-order", "The law of the kinks describes a jump.",
                (known["jump"].loss(far) / known["kinks"].law(far))[0], "=", 1.0, within=0.04),
    ]  # fmt: skip


def _networks(s: Settings) -> Items:
    case, t, early = jump(s.n), np.geomspace(0.1 * s.last, s.last, 5), np.array([2.0])
    lazy, rich, law = train(case, s.m, LAZY, t), train(case, s.m, RICH, t), case.law(t)
    short = [train(case, s.m, LAZY, early, h)[0] / case.loss(early)[0] - 1.0 for h in (0.5, 0.25)]
    return [
        panel("Loss of trained networks, one jump",
              line(t, law, MUTED, "law, t^(-1/2)", style="--"),
              dots(t, lazy, NTK, "trained, lazy"), dots(t, rich, POSITIVE, "trained, rich"),
              xlabel="time t", log="xy", legend="lower left"),
        compare("trained", "Loss of a trained lazy network over the law.", lazy[-1] / law[-1], "=", 1.0, within=0.04),
        halves("The distance of descent from the kernel flow", short),
        mistake("rich", "The law describes a network that is not lazy.", rich[-1] / law[-1], "=", 1.0, within=0.04),
    ]  # fmt: skip


LAB = Lab(
    "power-laws", "Velikanov and Yarotsky, explicit loss asymptotics (NeurIPS 2021)",
    "kernel flows and trained networks with C t^-xi, C and xi from the jumps and kinks of the target",
    (_flows, _networks), (2.0, 25.0), Settings(N=3000, side=60, n=256, m=1600, last=1000.0),
)  # fmt: skip
