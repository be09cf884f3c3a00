"""Orthonormal deep linear networks: the exact spectrum of Riemannian descent at its optimum, and the edge of stability.

P = W_L ... W_1, all layers but the first with orthonormal columns, loss (1/2) |P - P*|_F^2 (whitened data). A step is
eta for W_1 and eta c along the tangent space for the others, followed by the polar factor. With singular values sigma
of the teacher's first layer the residual obeys R <- (I - eta T) R at the optimum. T has the eigenvalues (derived here)

    1                                          d (d + 1) / 2 times,
    1 + (L - 1) c (sigma_i^2 + sigma_j^2) / 2  for i < j (the skew half of a gradient acts, the symmetric one does not),
    c sigma_j^2 (1 + (L - l) / 2)              for each j and each column by which the width grows at layer l >= 2.

Hence the rate max |1 - eta T|, the best step 2 / (T_min + T_max) and the edge of stability 2 / T_max.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..plots.style import F1, F2, INK, MUTED, NTK
from .panels import finish, two_panels
from .shape import Lab, LabResult, compare

Array = NDArray[np.float64]
KINDS = {"square": "all layers square", "last": "the last layer grows", "second": "the second layer grows"}


@dataclass(frozen=True)
class Settings:
    """Singular values of the teacher's first layer, numbers of layers L, output width of the growing nets."""

    singular: tuple[float, ...] = (2.0, 1.5, 1.0, 0.8, 0.5)
    depths: tuple[int, ...] = (3, 5, 9)
    wide: int = 8
    start: float = 1e-4
    edge_steps: int = 3000
    seed: int = 0


def spectrum(singular: Array, widths: tuple[int, ...], c: float, *, skew: float = 0.5) -> Array:
    """Eigenvalues of T, without multiplicity; widths (L,) of the outputs of the layers; `skew` is the half."""
    L, squares = len(widths), singular**2
    pairs = [1.0 + skew * (L - 1) * c * (squares[i] + squares[j]) for i in range(len(squares)) for j in range(i)]
    growing = [layer for layer in range(2, L + 1) if widths[layer - 1] > widths[layer - 2]]
    return np.array([1.0, *pairs, *(c * s * (1.0 + 0.5 * (L - layer)) for layer in growing for s in squares)])


def polar(W: Array) -> Array:
    """The nearest matrix with orthonormal columns."""
    U, _, Vt = np.linalg.svd(W, full_matrices=False)
    return U @ Vt


def teacher(singular: Array, widths: tuple[int, ...], rng: np.random.Generator) -> list[Array]:
    """First layer with these singular values, then random orthonormal columns."""
    d = len(singular)
    first = polar(rng.standard_normal((d, d))) * singular @ polar(rng.standard_normal((d, d)))
    return [first, *(polar(rng.standard_normal((b, a))) for a, b in zip(widths, widths[1:], strict=False))]


def descend(layers: list[Array], target: Array, step: float, c: float, count: int) -> Array:
    """|P - P*| after each of at most `count` steps; ends below 1e-12 or above 10."""
    layers, sizes = list(layers), []
    for _ in range(count):
        right = [np.eye(len(layers[0]))]  # right[l] = W_l ... W_1
        for W in layers:
            right.append(W @ right[-1])
        left = right[-1] - target  # (W_L ... W_{l+1})' (P - P*)
        sizes.append(float(np.linalg.norm(left)))
        if not 1e-12 < sizes[-1] < 10.0:
            break
        for l in range(len(layers) - 1, -1, -1):
            W, G = layers[l], left @ right[l].T
            left = W.T @ left
            if l:
                A = W.T @ G
                layers[l] = polar(W - step * c * (G - W @ (A + A.T) / 2))
            else:
                layers[0] = W - step * G
    return np.array(sizes)


@dataclass(frozen=True)
class Case:
    """One network near its optimum, with its spectrum."""

    kind: str
    L: int
    layers: list[Array]
    target: Array
    eigenvalues: Array
    c: float

    @property
    def best_step(self) -> float:
        """2 / (smallest + largest eigenvalue): the step of the fastest linear rate."""
        return float(2.0 / (self.eigenvalues.min() + self.eigenvalues.max()))

    @property
    def rate(self) -> float:
        """The contraction max |1 - step eigenvalue| at the best step."""
        return float(np.abs(1.0 - self.best_step * self.eigenvalues).max())

    @property
    def edge(self) -> float:
        """2 / (largest eigenvalue): longer steps diverge."""
        return float(2.0 / self.eigenvalues.max())

    def measured_rate(self) -> float:
        """Geometric mean of the decay between 1e-7 and 1e-11, where second-order terms are below 1e-7."""
        sizes = descend(self.layers, self.target, self.best_step, self.c, 20000)
        window = np.flatnonzero((sizes < 1e-7) & (sizes > 1e-11))
        return float((sizes[window[-1]] / sizes[window[0]]) ** (1.0 / (len(window) - 1))) if len(window) > 4 else np.nan


def build(kind: str, L: int, settings: Settings) -> Case:
    """Teacher, and a start `settings.start` from it in every layer."""
    rng, d = np.random.default_rng(settings.seed + L), len(settings.singular)
    singular = np.array(settings.singular)
    grows = {"square": L + 1, "last": L, "second": 2}[kind]
    widths = tuple(d if layer < grows else settings.wide for layer in range(1, L + 1))
    truth = teacher(singular, widths, rng)
    moved = [W + settings.start * rng.standard_normal(W.shape) for W in truth]
    target = truth[0]
    for W in truth[1:]:
        target = W @ target
    c = 1.0 / singular[0] ** 2
    return Case(kind, L, [moved[0], *map(polar, moved[1:])], target, spectrum(singular, widths, c), c)


def run(settings: Settings) -> LabResult:
    """Rates, edges, growth with depth, and an edge predicted without the skew half."""
    cases = [build(kind, L, settings) for kind in KINDS for L in settings.depths]
    rates = np.array([(case.rate, case.measured_rate()) for case in cases])
    fitted = np.isfinite(rates[:, 1])
    worst = int(np.argmax(np.where(fitted, np.abs(rates[:, 0] - rates[:, 1]), -1.0)))
    sides = {
        f: [descend(case.layers, case.target, f * case.edge, case.c, settings.edge_steps) for case in cases]
        for f in (0.97, 1.03)
    }
    below, above = (np.array([sizes[-1] / sizes[0] for sizes in sides[f]]) for f in (0.97, 1.03))
    deep = np.array([case.kind == "square" and case.L >= 5 for case in cases])
    layers = np.array([case.L for case in cases])
    power = np.polyfit(np.log(layers[deep]), np.log(-1.0 / np.log(rates[deep, 1])), 1)[0]
    number = next(i for i, case in enumerate(cases) if case.kind == "square" and case.L == 5)
    square = cases[number]
    wrong = 2.0 / spectrum(np.array(settings.singular), (len(settings.singular),) * 5, square.c, skew=1.0).max()
    beyond = descend(square.layers, square.target, 1.03 * wrong, square.c, settings.edge_steps)
    findings = (
        compare("local-rate", "The residual decays at the rate of the spectrum of T, at its best step (worst case).",
                rates[worst, 1], "=", rates[worst, 0], within=2e-4,
                note=f"{cases[worst].kind}, L = {cases[worst].L}; {fitted.sum()} rates of {len(cases)}"),
        compare("below-edge",
                "Below the edge of stability, at 0.97 of it, the residual shrinks (largest final / first).",
                below.max(), "<=", 0.5),
        compare("above-edge", "Above the edge, at 1.03 of it, it grows (smallest final / first).",
                above.min(), ">=", 10.0),
        compare("depth", "Square layers: the iterations to a given accuracy grow like the depth (exponent, L >= 5).",
                power, "=", 1.0, within=0.05),
        compare("skew-half", "At 1.03 times the edge that leaves out the half of the skew part the residual grows.",
                beyond[-1] / beyond[0], ">=", 10.0, broken=True, note=f"edge {wrong:.4f} for {square.edge:.4f}"),
    )  # fmt: skip
    arrays = {"L": layers, "kind": [case.kind for case in cases], "rates": rates}
    arrays["edges"] = {f: sides[f][number] for f in sides}
    return LabResult(findings, arrays)


def figure(result: LabResult) -> Figure:
    """Left: predicted rates over depth with the measured ones. Right: both sides of the edge."""
    (drawing, left, right), a = two_panels(), result.arrays
    for (kind, name), colour in zip(KINDS.items(), (F1, F2, NTK), strict=True):
        chosen = [i for i, k in enumerate(a["kind"]) if k == kind]
        depth, rates = a["L"][chosen], 1.0 - a["rates"][chosen]
        left.plot(depth, rates[:, 0], color=colour, linewidth=1.2)
        left.plot(depth, rates[:, 1], "o", color=colour, markersize=5, label=name)
    finish(left, "1 - rate per step", "lines: exact spectrum; dots: Riemannian descent", x="layers", log="xy")
    left.set_xticks(sorted(set(a["L"])), [str(L) for L in sorted(set(a["L"]))])
    left.minorticks_off()
    for (factor, sizes), colour in zip(a["edges"].items(), (INK, MUTED), strict=True):
        right.plot(sizes[:400], color=colour, linewidth=1.2, label=f"{factor} of the predicted edge")
    finish(right, "Distance to the teacher", "five square layers", x="steps", log="y")
    return drawing


LAB = Lab(
    name="orthonormal-networks",
    paper="Convergence of orthonormal deep linear networks (arXiv 2311.14658)",
    compares="Riemannian descent near its optimum with the exact spectrum of its linearisation",
    smoke=Settings(),
    full=Settings(depths=(2, 3, 5, 9, 17, 33), edge_steps=6000),
    seconds=(3.0, 25.0),
    run=run,
    figure=figure,
)
