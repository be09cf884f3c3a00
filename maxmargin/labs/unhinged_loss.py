"""Unhinged loss: a linear loss makes the dynamics linear; on two ReLU layers it freezes the adversary.

Layer-peeled model: classifier W (d, C), free features H (d, N), loss -<M, W'H>/N with M = Y - gamma (1 - Y), hence

    d/dt [W H] = [W H] A,   A = [[0, M], [M', 0]] / N,   W(t) = sum_j (cosh(r_j t) W0 + sinh(r_j t) Hb) P_j,

where Hb = H0 V, V = Y'/sqrt(n_c), P_1 = I - 11'/C with r_1 = sqrt(n_c)(1 + gamma)/N, P_0 = 11'/C with
r_0 = sqrt(n_c)(1 + gamma - gamma C)/N. What is orthogonal to the class means, H0 - Hb V', never moves.

Two ReLU layers under the same loss: each neuron climbs J(a, b) = (1/n) sum_i y_i b (a.z_i)_+ alone, the adversary is
frozen at uniform weights, and the network collapses to the best response to it. Closed forms and extension: ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..features import RELU
from ..games.variation import VariationGame
from ..margins import max_margin
from ..oracles.selection import exact_oracle
from ..plots.style import F1, F2, INK, MUTED, NEGATIVE, POSITIVE, light_grid, new_figure, note
from .shape import Lab, LabFinding, LabResult, compare

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """Layer-peeled: C classes of n_c points in d dimensions, penalty gamma, time. Two layers: points, width."""

    seed: int = 0
    classes: int = 5
    per_class: int = 20
    dimension: int = 40
    gamma: float = 0.25
    time: float = 200.0
    steps: tuple[float, ...] = (0.2, 0.1, 0.05)
    points: int = 8
    width: int = 200
    growth: float = 40.0  # flow time of the two-layer net, in units of 1 / (its predicted rate)


@dataclass(frozen=True)
class Peeled:
    """The layer-peeled model: start, linear generator, closed form."""

    W: Array
    H: Array
    Y: Array
    gamma: float

    @property
    def M(self) -> Array:
        return self.Y - self.gamma * (1.0 - self.Y)

    @property
    def V(self) -> Array:
        return self.Y.T / np.sqrt(self.Y.sum(axis=1))

    @property
    def rate(self) -> float:
        """r_1, of the contrasts between classes."""
        return float(np.sqrt(self.Y[0].sum()) * (1.0 + self.gamma) / self.Y.shape[1])

    def generator(self) -> Array:
        """A (C + N, C + N)."""
        (C, N), M = self.Y.shape, self.M
        return np.block([[np.zeros((C, C)), M], [M.T, np.zeros((N, N))]]) / N

    def closed_form(self, t: float) -> tuple[Array, Array]:
        """W(t), H(t) from cosh and sinh."""
        C, N = self.Y.shape
        constant = np.full((C, C), 1.0 / C)
        lazy = np.sqrt(N / C) * (1.0 + self.gamma - self.gamma * C) / N
        V, Hb = self.V, self.H @ self.V
        W, means = np.zeros_like(self.W), np.zeros_like(Hb)
        for r, P in ((self.rate, np.eye(C) - constant), (lazy, constant)):
            W += (np.cosh(r * t) * self.W + np.sinh(r * t) * Hb) @ P
            means += (np.cosh(r * t) * Hb + np.sinh(r * t) * self.W) @ P
        return W, self.H - Hb @ V.T + means @ V.T

    def descend(self, step: float, count: int, record: int) -> list[tuple[Array, Array]]:
        """Gradient descent on -<M, W'H>/N from its two partial gradients; every `record`-th iterate."""
        W, H, M, N = self.W, self.H, self.M, self.Y.shape[1]
        path = [(W, H)]
        for k in range(1, count + 1):
            W, H = W + step * H @ M.T / N, H + step * W @ M / N
            if k % record == 0:
                path.append((W, H))
        return path

    def descend_cross_entropy(self, step: float, count: int) -> tuple[Array, Array]:
        """The same with the loss that is not linear."""
        from scipy.special import softmax

        W, H, N = self.W, self.H, self.Y.shape[1]
        for _ in range(count):
            M = self.Y - softmax(W.T @ H, axis=0)
            W, H = W + step * H @ M.T / N, H + step * W @ M / N
        return W, H

    def collapse(self, W: Array, H: Array) -> tuple[float, float]:
        """NC1: within-class over between-class variation; NC3: |W - means| / |W|, both of the contrasts."""
        V, C = self.V, self.Y.shape[0]
        P = np.eye(C) - 1.0 / C
        means, classifier = H @ V @ P, W @ P
        within = H - H @ V @ V.T
        gap = np.linalg.norm(classifier - means) / np.linalg.norm(classifier)
        return float((within**2).sum() / (means**2).sum()), float(gap)


def simplex_distance(G: Array) -> float:
    """|G/|G| - P/|P||: how far the Gram matrix of a classifier is from that of a simplex (NC2)."""
    P = np.eye(len(G)) - 1.0 / len(G)
    return float(np.linalg.norm(G / np.linalg.norm(G) - P / np.linalg.norm(P)))


def _gap(found: Sequence[Array], wanted: Sequence[Array]) -> float:
    return float(np.linalg.norm(np.hstack(found) - np.hstack(wanted)) / np.linalg.norm(np.hstack(wanted)))


def start(settings: Settings) -> Peeled:
    """A generic Gaussian start, classes one after the other."""
    rng, s = np.random.default_rng(settings.seed), settings
    W = rng.standard_normal((s.dimension, s.classes))
    H = rng.standard_normal((s.dimension, s.classes * s.per_class))
    return Peeled(W, H, np.repeat(np.eye(s.classes), s.per_class, axis=1), s.gamma)


def _peeled(settings: Settings) -> tuple[list[LabFinding], dict[str, Array]]:
    from scipy.linalg import expm

    model, T = start(settings), settings.time
    step = settings.steps[-1]
    P = np.eye(settings.classes) - 1.0 / settings.classes
    short = settings.steps[0] * round(1.0 / (settings.steps[0] * model.rate))  # a whole number of every step
    joint = np.hstack([model.W, model.H])
    flow = model.closed_form(short)
    errors = [_gap(model.descend(h, round(short / h), round(short / h))[-1], flow) for h in settings.steps]
    count = round(short / step)
    power = joint @ np.linalg.matrix_power(np.eye(joint.shape[1]) + step * model.generator(), count)
    exact = np.split(power, [settings.classes], axis=1)
    path = model.descend(step, round(T / step), round(T / step / 80))
    times = np.linspace(0.0, T, len(path))
    collapse = np.array([model.collapse(*pair) for pair in path])
    late = times >= 0.6 * T
    slopes = np.polyfit(times[late], np.log(collapse[late]), 1)[0]
    r, h = model.rate, step
    predicted = np.array([-2.0 * np.log1p(h * r) / h, np.log((1 - h * r) / (1 + h * r)) / h])
    limit = (model.W + model.H @ model.V) @ P
    ends = simplex_distance(path[-1][0].T @ path[-1][0]), simplex_distance(limit.T @ limit)
    exponential = np.split(joint @ expm(short * model.generator()), [settings.classes], axis=1)
    cross = _gap(model.descend_cross_entropy(step, count), flow)
    findings = [
        compare("matrix-exponential", "The closed form in cosh and sinh is the exponential of the generator.",
                _gap(flow, exponential), "=", 0.0, within=1e-12),
        compare("descent-exact", "Gradient descent is a power of I + step times the generator.",
                _gap(model.descend(step, count, count)[-1], exact), "=", 0.0, within=1e-10),
        compare("descent-order", "The distance of descent from the flow is linear in the step: it halves with it.",
                errors[-2] / errors[-1], "=", 2.0, within=0.05, note=f"distances {np.round(errors, 4)}"),
        compare("nc1-rate", "Within-class variation dies at twice the rate of the class means (NC1), at this step.",
                slopes[0], "=", predicted[0], within=1e-4 * abs(predicted[0]), note=f"flow: {-2 * r:.6f}"),
        compare("nc3-rate", "Classifier and class means align at the same rate (NC3), at this step.",
                slopes[1], "=", predicted[1], within=1e-4 * abs(predicted[1]), note=f"flow: {-2 * r:.6f}"),
        compare("nc2-limit", "The classifier tends to (W0 + Hb) P: distance of its Gram matrix from a simplex.",
                ends[0], "=", ends[1], within=1e-3),
        compare("nc2-simplex", "The limit is a simplex from every start.",
                ends[0], "=", 0.0, within=0.1, broken=True),
        compare("cross-entropy", "The closed form describes descent on the cross-entropy.",
                cross, "=", 0.0, within=1e-2, broken=True),
    ]  # fmt: skip
    return findings, {"times": times, "collapse": collapse, "rate": np.array(r)}


@dataclass(frozen=True)
class Grown:
    """A two-layer net after training: unit neurons, signed masses, and the log of its mass over time."""

    directions: Array
    weights: Array
    times: Array
    mass: Array = field(repr=False)


def grow(Z: Array, y: Array, settings: Settings, rate: float, *, frozen: bool = True) -> Grown:
    """d(a, b)/dt = grad of J for every neuron; `frozen=False` reweights the points by exp(-y f) (exponential loss).

    The frozen flow is homogeneous: the net is rescaled to mass 1 after every step and the factors are added up.
    """
    rng, m = np.random.default_rng(settings.seed), settings.width
    a, b = rng.standard_normal((m, Z.shape[1])), rng.standard_normal(m)
    h, total, count = 0.02 / rate, 0.0, round(settings.growth / 0.02)
    times, mass = [], []
    for k in range(count):
        active = np.maximum(a @ Z.T, 0.0)
        u = y * (b @ active) * np.exp(total)
        p = np.full(len(y), 1.0 / len(y)) if frozen else np.exp(-(u - u.min())) / np.exp(-(u - u.min())).sum()
        G = (active > 0) @ (Z * (p * y)[:, None])
        a, b = a + h * b[:, None] * G, b + h * (active @ (p * y))
        size = 0.5 * float((a**2).sum() + b @ b)
        a, b, total = a / np.sqrt(size), b / np.sqrt(size), total + np.log(size)
        times.append((k + 1) * h)
        mass.append(total)
    norms = np.linalg.norm(a, axis=1)
    return Grown(a / norms[:, None], b * norms, np.array(times), np.array(mass))


def _two_layers(settings: Settings) -> tuple[list[LabFinding], dict[str, Array]]:
    rng = np.random.default_rng(settings.seed + 1)
    Z = rng.standard_normal((settings.points, 2))
    y = np.where(np.arange(settings.points) % 2, 1.0, -1.0)
    game = VariationGame(Z, y, RELU, "path", oracle=exact_oracle(Z, RELU))
    best = game.best_response(np.full(len(y), 1.0 / len(y)), 1)
    B, h = float(best.bound), 0.02 / float(best.bound)
    net, rich = grow(Z, y, settings, B), grow(Z, y, settings, B, frozen=False)
    late = net.times >= 0.7 * net.times[-1]
    slope = np.polyfit(net.times[late], net.mass[late], 1)[0]
    top = int(np.argmax(np.abs(net.weights)))
    solved = max_margin((Z, y), bias=False, convention="path")
    findings = [
        compare("mass-slope",
                "The log of the mass grows by 2 B, the best response to uniform weights (at this step).",
                slope, "=", 2.0 * np.log1p(h * B) / h, within=1e-3 * B, note=f"flow: {2 * B:.6f}"),
        compare("one-neuron", "The network collapses to that best response: cosine of its heaviest neuron.",
                net.directions[top] @ best.directions[0], "=", 1.0, within=1e-6),
        compare("unhinged-margin",
                "The unhinged limit separates nothing: its neuron is silent or wrong on one class.",
                _least(Z, y, net), "<=", 0.0),
        compare("margin-exists", "The exponential loss reaches half of the max margin from the same start.",
                _least(Z, y, rich), ">=", 0.5 * solved.upper,
                note=f"gamma_1 in [{solved.lower:.6f}, {solved.upper:.6f}]"),
        compare("exponential-tail", "The flow of the exponential loss separates nothing.",
                _least(Z, y, rich), "<=", 0.0, broken=True),
    ]  # fmt: skip
    arrays = {"Z": Z, "y": y, "net": net, "rich": rich, "best": best.directions[0], "B": np.array(B)}
    return findings, arrays


def _least(Z: Array, y: Array, net: Grown) -> float:
    """min_i y_i f(x_i) over the path norm, negative if a point is misclassified."""
    f = np.maximum(Z @ net.directions.T, 0.0) @ net.weights
    return float((y * f).min() / np.abs(net.weights).sum())


def run(settings: Settings) -> LabResult:
    """Both halves."""
    peeled, arrays = _peeled(settings)
    layers, more = _two_layers(settings)
    return LabResult((*peeled, *layers), {**arrays, **more})


def figure(result: LabResult) -> Figure:
    """Left: collapse over time on its predicted slopes. Right: the frozen potential and where the neurons went."""
    drawing = new_figure(10.0, 4.2)
    left, right = drawing.subplots(1, 2)
    arrays = result.arrays
    t, collapse = arrays["times"], arrays["collapse"]
    for column, (name, colour) in enumerate((("NC1, within / between", F1), ("NC3, classifier - means", F2))):
        line = collapse[-1, column] * np.exp(-2.0 * arrays["rate"] * (t - t[-1]))
        left.plot(t, line, color=MUTED, linewidth=1.0, linestyle="--", label="predicted slope" if column else None)
        left.plot(t[::4], collapse[::4, column], "o", color=colour, markersize=4, label=name)
    left.set_yscale("log")
    left.set_xlabel("flow time")
    left.set_title("Collapse at a closed-form rate")
    note(left, "layer-peeled model, gradient descent, linear loss")
    left.legend()
    angles = np.linspace(-np.pi, np.pi, 721)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    payoff = np.maximum(circle @ arrays["Z"].T, 0.0) @ (arrays["y"] / len(arrays["y"]))
    right.plot(angles, np.abs(payoff), color=INK, linewidth=1.2, label="payoff of a neuron, uniform weights")
    right.axhline(float(arrays["B"]), color=MUTED, linestyle="--", linewidth=1.0, label="exact best response")
    for net, colour, name in (("net", NEGATIVE, "unhinged loss"), ("rich", POSITIVE, "exponential loss")):
        grown: Grown = arrays[net]
        share = np.abs(grown.weights) / np.abs(grown.weights).sum()
        heavy = share > 1e-4
        place = np.arctan2(grown.directions[heavy, 1], grown.directions[heavy, 0])
        height = np.abs(np.maximum(grown.directions[heavy] @ arrays["Z"].T, 0.0) @ (arrays["y"] / len(arrays["y"])))
        right.scatter(
            place, height, s=10 + 150 * share[heavy], color=colour, alpha=0.8, label=f"neurons, {name}", zorder=3
        )
    right.set_xlabel("direction of the neuron (radians)")
    right.set_title("The frozen adversary")
    note(right, "the unhinged net ends in one neuron, which separates nothing")
    light_grid(right)
    right.legend(loc="lower right")
    return drawing


LAB = Lab(
    name="unhinged-loss",
    paper="Neural collapse under the unhinged loss (arXiv 2312.07841)",
    compares="layer-peeled descent with its matrix exponential; a ReLU net with the best response to uniform weights",
    smoke=Settings(),
    full=Settings(time=260.0, steps=(0.1, 0.05, 0.025), points=16, width=1000),
    seconds=(2.0, 20.0),
    run=run,
    figure=figure,
)
