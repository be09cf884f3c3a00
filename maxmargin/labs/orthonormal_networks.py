"""Orthonormal deep linear networks: the exact spectrum of Riemannian descent at its optimum, and the edge of stability.

P = W_L ... W_1, all layers but the first with orthonormal columns, loss (1/2) |P - P*|_F^2 (whitened data). A step is
eta for W_1 and eta c along the tangent space for the others, followed by the polar factor. At the optimum the residual
obeys R <- (I - eta T) R; the eigenvalues of T (`spectrum`) give the rate, the best step and the edge of stability.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import accumulate, product

import numpy as np
from scipy.linalg import polar

from ..conventions import Array
from ..plots.panels import Mark, dots, line, panel
from ..plots.style import F1, F2, INK, MUTED, NTK
from ..theory.rates import exponent
from .shape import Items, Lab, compare, mistake

KINDS = {"square": "all layers square", "last": "the last layer grows", "second": "the second layer grows"}
WIDE = 8  # output width of the growing nets


@dataclass(frozen=True)
class Settings:
    """Singular values of the teacher's first layer, numbers of layers L, distance of the start from the optimum."""

    singular: tuple[float, ...] = (2.0, 1.5, 1.0, 0.8, 0.5)
    depths: tuple[int, ...] = (3, 5, 9)
    start: float = 1e-4
    edge_steps: int = 3000
    seed: int = 0


def spectrum(singular: Array, widths: tuple[int, ...], c: float, *, skew: float = 0.5) -> Array:
    """Eigenvalues of T, without multiplicity, for outputs of the layers of these widths (L,).

    1; 1 + (L - 1) c (sigma_i^2 + sigma_j^2) / 2 for i < j, as the skew half of a gradient acts (`skew`) and the
    symmetric one does not; c sigma_j^2 (1 + (L - l) / 2) for each j and each layer l >= 2 at which the width grows.
    """
    L, squares = len(widths), singular**2
    pairs = [1.0 + skew * (L - 1) * c * (squares[i] + squares[j]) for i in range(len(squares)) for j in range(i)]
    growing = [layer for layer in range(2, L + 1) if widths[layer - 1] > widths[layer - 2]]
    return np.array([1.0, *pairs, *(c * s * (1.0 + 0.5 * (L - layer)) for layer in growing for s in squares)])


def orthonormal(W: Array) -> Array:
    """The nearest matrix with orthonormal columns."""
    return polar(W)[0]


class Case:
    """One network: a teacher with random orthonormal columns, and a start `s.start` from it in every layer.

    `eigenvalues` are those of T, `edge` is that of stability; later layers move by `c` times the step of the first.
    """

    def __init__(self, kind: str, L: int, s: Settings):
        rng, singular, d = np.random.default_rng(s.seed + L), np.array(s.singular), len(s.singular)
        grows = {"square": L + 1, "last": L, "second": 2}[kind]
        widths = tuple(d if layer < grows else WIDE for layer in range(1, L + 1))
        first = orthonormal(rng.standard_normal((d, d))) * singular @ orthonormal(rng.standard_normal((d, d)))
        truth = [first, *(orthonormal(rng.standard_normal(shape)) for shape in zip(widths[1:], widths, strict=False))]
        moved = [W + s.start * rng.standard_normal(W.shape) for W in truth]
        self.layers, self.target = [moved[0], *map(orthonormal, moved[1:])], reduce(lambda P, W: W @ P, truth)
        self.c = 1.0 / singular[0] ** 2
        self.eigenvalues = spectrum(singular, widths, self.c)
        self.edge = 2.0 / self.eigenvalues.max()

    def descend(self, step: float, count: int) -> Array:
        """|P - P*| after each of at most `count` steps; ends below 1e-12 or above 10."""
        layers, sizes = list(self.layers), []
        for _ in range(count):
            right = list(accumulate(layers, lambda P, W: W @ P, initial=np.eye(len(layers[0]))))  # W_l ... W_1
            left = right[-1] - self.target  # (W_L ... W_{l+1})' (P - P*)
            sizes.append(float(np.linalg.norm(left)))
            if not 1e-12 < sizes[-1] < 10.0:
                break
            for l in reversed(range(len(layers))):
                W, G = layers[l], left @ right[l].T
                left, A = W.T @ left, W.T @ G
                layers[l] = orthonormal(W - step * self.c * (G - W @ (A + A.T) / 2)) if l else W - step * G
        return np.array(sizes)

    def grown(self, step: float, count: int) -> float:
        """The last distance over the first."""
        sizes = self.descend(step, count)
        return float(sizes[-1] / sizes[0])

    def rates(self) -> tuple[float, float]:
        """max |1 - step T| at the best step 2 / (T_min + T_max), and the one measured, or nan.

        That is the geometric mean of the decay between 1e-7 and 1e-11, where second-order terms are below 1e-7.
        """
        step = 2.0 / (self.eigenvalues.min() + self.eigenvalues.max())
        sizes = self.descend(step, 20000)
        late = sizes[(sizes < 1e-7) & (sizes > 1e-11)]
        measured = (late[-1] / late[0]) ** (1.0 / (len(late) - 1)) if len(late) > 4 else np.nan
        return float(np.abs(1.0 - step * self.eigenvalues).max()), float(measured)


def run(s: Settings) -> Items:
    """Rates, edges, growth with depth, and an edge predicted without the skew half."""
    depths, known = np.array(s.depths), list(product(KINDS, s.depths))  # square ones first
    cases = [Case(kind, L, s) for kind, L in known]
    rates = np.array([case.rates() for case in cases])
    worst = int(np.nan_to_num(np.abs(rates[:, 0] - rates[:, 1])).argmax())
    below, above = ([case.grown(part * case.edge, s.edge_steps) for case in cases] for part in (0.97, 1.03))
    deep = int(np.argmax(depths >= 5))
    square, late = cases[deep], rates[deep : len(depths), 1]
    shrinks, grows = (square.descend(part * square.edge, 400) for part in (0.97, 1.03))
    wrong = 2.0 / spectrum(np.array(s.singular), (len(s.singular),) * 5, square.c, skew=1.0).max()
    marks = list[Mark]()
    for label, colour, pair in zip(KINDS.values(), (F1, F2, NTK), np.split(1.0 - rates.T, 3, axis=1), strict=True):
        marks += [line(depths, pair[0], colour), dots(depths, pair[1], colour, label)]
    return [
        panel("1 - rate per step", *marks, below="lines: exact spectrum; dots: Riemannian descent",
              xlabel="layers", log="xy", ticks=s.depths),
        panel("Distance to the teacher",
              line(range(len(shrinks)), shrinks, INK, "0.97 of the predicted edge"),
              line(range(len(grows)), grows, MUTED, "1.03 of the predicted edge"),
              below="five square layers", xlabel="steps", log="y"),
        compare("local-rate", "The residual decays at the rate of the spectrum of T, at its best step (worst case).",
                rates[worst, 1], "=", rates[worst, 0], within=2e-4,
                note="{}, L = {}; {} rates of {}".format(*known[worst], np.isfinite(rates[:, 1]).sum(), len(cases))),
        compare("below-edge", "At 0.97 of the edge the residual shrinks (worst last / first).", max(below), "<=", 0.5),
        compare("above-edge", "At 1.03 of the edge it grows (worst last / first).", min(above), ">=", 10.0),
        compare("depth", "Square layers: the iterations to a given accuracy grow like the depth (exponent, L >= 5).",
                exponent(depths[deep:], -1.0 / np.log(late)), "=", 1.0, within=0.05),
        mistake("skew-half", "At 1.03 times the edge that leaves out the half of the skew part the residual grows.",
                square.grown(1.03 * wrong, s.edge_steps), ">=", 10.0, note=f"edge {wrong:.4f} for {square.edge:.4f}"),
    ]  # fmt: skip


LAB = Lab(
    "orthonormal-networks", "Convergence of orthonormal deep linear networks (arXiv 2311.14658)",
    "Riemannian descent near its optimum with the exact spectrum of its linearisation",
    (run,), (3.0, 25.0), Settings(depths=(2, 3, 5, 9, 17, 33), edge_steps=6000),
)  # fmt: skip
