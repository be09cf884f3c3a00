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
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..features import RELU
from ..margins import max_margin
from ..oracles.selection import exact_oracle
from ..plots.style import F1, F2, INK, MUTED, NEGATIVE, POSITIVE
from .panels import finish, two_panels
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
    growth: float = 40.0  # flow time of the two-layer net, in units of 1 / B


@dataclass(frozen=True)
class Peeled:
    """The layer-peeled model: W (d, C), H (d, N), one-hot labels Y (C, N), M, V, P = P_1, and the rates r_1, r_0."""

    W: Array
    H: Array
    Y: Array
    M: Array
    V: Array
    P: Array
    rates: tuple[float, float]

    def generator(self) -> Array:
        """A (C + N, C + N)."""
        (C, N), M = self.Y.shape, self.M
        return np.block([[np.zeros((C, C)), M], [M.T, np.zeros((N, N))]]) / N

    def closed_form(self, t: float) -> tuple[Array, Array]:
        """W(t), H(t) from cosh and sinh."""
        Hb, parts = self.H @ self.V, tuple(zip(self.rates, (self.P, np.eye(len(self.P)) - self.P), strict=True))
        W = sum((np.cosh(r * t) * self.W + np.sinh(r * t) * Hb) @ P for r, P in parts)
        means = sum((np.cosh(r * t) * Hb + np.sinh(r * t) * self.W) @ P for r, P in parts)
        return W, self.H + (means - Hb) @ self.V.T

    def descend(self, step: float, count: int, every: int, *, cross_entropy: bool = False) -> list[tuple[Array, Array]]:
        """Gradient descent from its two partial gradients; every so many iterates."""
        W, H, M, N = self.W, self.H, self.M, self.Y.shape[1]
        path = [(W, H)]
        for k in range(1, count + 1):
            if cross_entropy:
                E = np.exp(W.T @ H - (W.T @ H).max(axis=0))
                M = self.Y - E / E.sum(axis=0)
            W, H = W + step * H @ M.T / N, H + step * W @ M / N
            if k % every == 0:
                path.append((W, H))
        return path

    def collapse(self, W: Array, H: Array) -> tuple[float, float]:
        """NC1: within-class over between-class variation; NC3: |W - means| / |W|, both of the contrasts."""
        means, classifier, within = H @ self.V @ self.P, W @ self.P, H - H @ self.V @ self.V.T
        gap = np.linalg.norm(classifier - means) / np.linalg.norm(classifier)
        return float((within**2).sum() / (means**2).sum()), float(gap)

    def heights(self) -> Array:
        """Limits of NC1 and NC3 times exp(2 r_1 t): the classifier grows like (W0 + Hb) P exp(r_1 t) / 2."""
        Hb = self.H @ self.V
        limit, within = np.linalg.norm((self.W + Hb) @ self.P), np.linalg.norm(self.H - Hb @ self.V.T)
        return np.array([4.0 * (within / limit) ** 2, 2.0 * np.linalg.norm((self.W - Hb) @ self.P) / limit])


def simplex_distance(W: Array) -> float:
    """|G/|G| - P/|P||, G = W'W: how far the Gram matrix of a classifier is from that of a simplex (NC2)."""
    G, P = W.T @ W, np.eye(W.shape[1]) - 1.0 / W.shape[1]
    return float(np.linalg.norm(G / np.linalg.norm(G) - P / np.linalg.norm(P)))


def _gap(found: Sequence[Array], wanted: Sequence[Array]) -> float:
    return float(np.linalg.norm(np.hstack(found) - np.hstack(wanted)) / np.linalg.norm(np.hstack(wanted)))


def start(settings: Settings) -> Peeled:
    """A generic Gaussian start, classes one after the other."""
    rng, s, C = np.random.default_rng(settings.seed), settings, settings.classes
    W, H = rng.standard_normal((s.dimension, C)), rng.standard_normal((s.dimension, C * s.per_class))
    Y = np.repeat(np.eye(C), s.per_class, axis=1)
    scale = 1.0 / (np.sqrt(s.per_class) * C)
    rates = (scale * (1.0 + s.gamma), scale * (1.0 + s.gamma - s.gamma * C))
    return Peeled(W, H, Y, Y - s.gamma * (1.0 - Y), Y.T / np.sqrt(s.per_class), np.eye(C) - 1.0 / C, rates)


def _peeled(settings: Settings) -> tuple[list[LabFinding], dict[str, Array]]:
    from scipy.linalg import expm

    model, T, h = start(settings), settings.time, settings.steps[-1]
    r, joint, A = model.rates[0], np.hstack([model.W, model.H]), model.generator()
    short = settings.steps[0] * round(1.0 / (settings.steps[0] * r))  # a whole number of every step
    count = round(short / h)
    flow = model.closed_form(short)
    exponential, power = (
        np.split(joint @ Q, [settings.classes], axis=1)
        for Q in (expm(short * A), np.linalg.matrix_power(np.eye(len(A)) + h * A, count))
    )
    errors = [_gap(model.descend(step, round(short / step), 1)[-1], flow) for step in settings.steps]
    cross = _gap(model.descend(h, count, count, cross_entropy=True)[-1], flow)
    path = model.descend(h, round(T / h), round(T / h / 80))
    times, collapse = np.linspace(0.0, T, len(path)), np.array([model.collapse(*pair) for pair in path])
    late = times >= 0.6 * T
    slopes = np.polyfit(times[late], np.log(collapse[late]), 1)[0]
    predicted = np.array([-2.0 * np.log1p(h * r) / h, np.log((1 - h * r) / (1 + h * r)) / h])
    ends = simplex_distance(path[-1][0]), simplex_distance((model.W + model.H @ model.V) @ model.P)
    findings = [
        compare("matrix-exponential", "The closed form in cosh and sinh is the exponential of the generator.",
                _gap(flow, exponential), "=", 0.0, within=1e-12),
        compare("descent-exact", "Gradient descent is a power of I + step times the generator.",
                _gap(model.descend(h, count, count)[-1], power), "=", 0.0, within=1e-10),
        compare("descent-order", "The distance of descent from the flow is linear in the step: it halves with it.",
                errors[-2] / errors[-1], "=", 2.0, within=0.05, note=f"distances {np.round(errors, 4)}"),
        compare("nc1-rate", "Within-class variation dies at twice the rate of the class means (NC1), at this step.",
                slopes[0], "=", predicted[0], within=1e-4 * abs(predicted[0]), note=f"flow: {-2 * r:.6f}"),
        compare("nc3-rate", "Classifier and class means align at the same rate (NC3), at this step.",
                slopes[1], "=", predicted[1], within=1e-4 * abs(predicted[1]), note=f"flow: {-2 * r:.6f}"),
        compare("nc2-limit", "The classifier tends to (W0 + Hb) P: distance of its Gram matrix from a simplex.",
                ends[0], "=", ends[1], within=1e-3),
        compare("nc2-simplex", "The limit is a simplex from every start.", ends[0], "=", 0.0, within=0.1, broken=True),
        compare("cross-entropy", "The closed form describes descent on the cross-entropy.",
                cross, "=", 0.0, within=1e-2, broken=True),
    ]  # fmt: skip
    return findings, {"times": times, "collapse": collapse, "lines": model.heights() * np.exp(-2 * r * times)[:, None]}


@dataclass(frozen=True)
class Grown:
    """A two-layer net after training: unit neurons, signed masses, and the log of its mass after each step."""

    directions: Array
    weights: Array
    mass: Array

    def margin(self, Z: Array, y: Array) -> float:
        """min_i y_i f(x_i) over the path norm, negative if a point is misclassified."""
        f = np.maximum(Z @ self.directions.T, 0.0) @ self.weights
        return float((y * f).min() / np.abs(self.weights).sum())


def grow(Z: Array, y: Array, settings: Settings, rate: float, *, frozen: bool = True) -> Grown:
    """d(a, b)/dt = grad of J for every neuron; `frozen=False` reweights the points by exp(-y f) (exponential loss).

    The frozen flow is homogeneous: the net is rescaled to mass 1 after every step and the factors are added up.
    """
    rng, m, h, total = np.random.default_rng(settings.seed), settings.width, 0.02 / rate, 0.0
    a, b, mass = rng.standard_normal((m, Z.shape[1])), rng.standard_normal(m), []
    for _ in range(round(settings.growth / 0.02)):
        active = np.maximum(a @ Z.T, 0.0)
        u = y * (b @ active) * np.exp(total) * (not frozen)
        p = np.exp(u.min() - u) / np.exp(u.min() - u).sum()
        a, b = a + h * b[:, None] * ((active > 0) @ (Z * (p * y)[:, None])), b + h * (active @ (p * y))
        size = 0.5 * float((a**2).sum() + b @ b)
        a, b, total = a / np.sqrt(size), b / np.sqrt(size), total + np.log(size)
        mass.append(total)
    norms = np.linalg.norm(a, axis=1)
    return Grown(a / norms[:, None], b * norms, np.array(mass))


def _two_layers(settings: Settings) -> tuple[list[LabFinding], dict[str, Any]]:
    Z = np.random.default_rng(settings.seed + 1).standard_normal((settings.points, 2))
    y = np.array([(-1.0) ** i for i in range(settings.points)])
    best = exact_oracle(Z, RELU)(y / len(y), 1)
    B, h = best.bound, 0.02 / best.bound
    net, rich = grow(Z, y, settings, B), grow(Z, y, settings, B, frozen=False)
    slope = np.diff(net.mass[-len(net.mass) // 3 :]).mean() / h
    top = net.directions[np.argmax(np.abs(net.weights))]
    solved = max_margin((Z, y), bias=False, convention="path")
    findings = [
        compare("mass-slope", "The log of the mass grows by 2 B, the best response to uniform weights (at this step).",
                slope, "=", 2.0 * np.log1p(h * B) / h, within=1e-3 * B, note=f"flow: {2 * B:.6f}"),
        compare("one-neuron", "The network collapses to that best response: cosine of its heaviest neuron.",
                top @ best.directions[0], "=", 1.0, within=1e-6),
        compare("unhinged-margin", "The unhinged limit separates nothing: its neuron is silent or wrong on one class.",
                net.margin(Z, y), "<=", 0.0),
        compare("margin-exists", "The exponential loss reaches half of the max margin from the same start.",
                rich.margin(Z, y), ">=", 0.5 * solved.upper,
                note=f"gamma_1 in [{solved.lower:.6f}, {solved.upper:.6f}]"),
        compare("exponential-tail", "The flow of the exponential loss separates nothing.",
                rich.margin(Z, y), "<=", 0.0, broken=True),
    ]  # fmt: skip
    return findings, {"Z": Z, "y": y, "unhinged loss": net, "exponential loss": rich, "B": B}


def run(settings: Settings) -> LabResult:
    """Both halves."""
    (peeled, arrays), (layers, more) = _peeled(settings), _two_layers(settings)
    return LabResult((*peeled, *layers), {**arrays, **more})


def figure(result: LabResult) -> Figure:
    """Left: collapse over time on lines of predicted height. Right: the frozen potential and where the neurons went."""
    (drawing, left, right), a = two_panels(), result.arrays
    for column, (name, colour) in enumerate((("NC1, within / between", F1), ("NC3, classifier - means", F2))):
        label = "predicted" if column else None
        left.plot(a["times"], a["lines"][:, column], color=MUTED, linewidth=1.0, linestyle="--", label=label)
        left.plot(a["times"][::4], a["collapse"][::4, column], "o", color=colour, markersize=4, label=name)
    about = "layer-peeled model, gradient descent, linear loss"
    finish(left, "Collapse at a closed-form rate", about, x="flow time", log="y")

    def payoff(directions: Array) -> Array:
        return np.abs(np.maximum(directions @ a["Z"].T, 0.0) @ a["y"]) / len(a["y"])

    angles = np.linspace(-np.pi, np.pi, 721)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    right.plot(angles, payoff(circle), color=INK, linewidth=1.2, label="payoff under uniform weights")
    right.axhline(a["B"], color=MUTED, linestyle="--", linewidth=1.0, label="exact best response")
    for name, colour in (("unhinged loss", NEGATIVE), ("exponential loss", POSITIVE)):
        share = np.abs(a[name].weights) / np.abs(a[name].weights).sum()
        heavy = a[name].directions[share > 1e-4]
        place, size = np.arctan2(heavy[:, 1], heavy[:, 0]), 12 + 150 * share[share > 1e-4]
        right.scatter(place, payoff(heavy), s=size, color=colour, alpha=0.8, label=f"neurons, {name}", zorder=3)
    right.set_ylim(0.0, 1.7 * a["B"])
    about = "the unhinged net ends in one neuron, which separates nothing"
    finish(right, "The frozen adversary", about, x="direction of the neuron (radians)", legend="upper left")
    return drawing


LAB = Lab(
    name="unhinged-loss",
    paper="Neural collapse under the unhinged loss (arXiv 2312.07841)",
    compares="layer-peeled descent with its matrix exponential; a ReLU net with the best response to uniform weights",
    smoke=Settings(),
    full=Settings(time=260.0, steps=(0.1, 0.05, 0.025), width=1000, growth=80.0),
    seconds=(1.0, 2.0),
    run=run,
    figure=figure,
)
