"""Unhinged loss: a linear loss makes the dynamics linear; on two ReLU layers it freezes the adversary.

Layer-peeled model: classifier W (d, C), free features H (d, N), loss -<M, W'H>/N with M = Y - gamma (1 - Y); its flow
d/dt [W H] = [W H] A has a closed form. Two ReLU layers: each neuron climbs J(a, b) = (1/n) sum_i y_i b (a.z_i)_+ alone,
the adversary is frozen at uniform weights, and the network collapses to the best response to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import accumulate

import numpy as np
from scipy.linalg import expm
from scipy.special import softmax

from ..conventions import Array
from ..features import RELU
from ..flow.fields import descend
from ..games.measure import Measure
from ..margins import max_margin
from ..oracles.selection import exact_oracle
from ..plots.panels import Mark, dots, level, line, mark, panel
from ..plots.style import F1, F2, INK, MUTED, NEGATIVE, POSITIVE
from ..theory.rates import decay
from .shape import Items, Lab, compare, distance, halves, mistake

C, POINTS = 5, 8  # classes of the layer-peeled model; points of the two-layer net
STEP = 0.02  # of the two-layer net, in units of 1 / B


@dataclass(frozen=True)
class Settings:
    """Layer-peeled: n_c points a class in d dimensions, penalty gamma, time, step. Two layers: width, time times B."""

    seed: int = 0
    per_class: int = 20
    dimension: int = 40
    gamma: float = 0.25
    time: float = 200.0
    step: float = 0.05
    width: int = 200
    growth: float = 40.0


class Peeled:
    """A generic Gaussian start S = [W H] (d, C + N), one-hot labels Y (C, N) class by class, and M.

    V (N, C) takes features to the class means times sqrt(n_c), P projects on the contrasts of the classes; `rates` are
    those of P and of I - P: r_1 = sqrt(n_c) (1 + gamma) / N and r_0 = sqrt(n_c) (1 + gamma - gamma C) / N.
    """

    def __init__(self, s: Settings):
        rng = np.random.default_rng(s.seed)
        self.S = np.hstack([rng.standard_normal((s.dimension, k)) for k in (C, C * s.per_class)])
        self.Y = np.repeat(np.eye(C), s.per_class, axis=1)
        self.M = self.Y - s.gamma * (1.0 - self.Y)
        self.V, self.P = self.Y.T / np.sqrt(s.per_class), np.eye(C) - 1.0 / C
        self.rates = [(1.0 + s.gamma * (1 - k)) / (np.sqrt(s.per_class) * C) for k in (0, C)]

    def generator(self) -> Array:
        """A = [[0, M], [M', 0]] / N, (C + N, C + N)."""
        N = self.M.shape[1]
        return np.block([[np.zeros((C, C)), self.M], [self.M.T, np.zeros((N, N))]]) / N

    def closed_form(self, t: float) -> Array:
        """W(t) = sum_j (cosh(r_j t) W + sinh(r_j t) H V) P_j, and H(t) from its means; H - H V V' never moves."""
        W, H = self.S[:, :C], self.S[:, C:]
        means, parts = H @ self.V, list(zip(self.rates, (self.P, np.eye(C) - self.P), strict=True))
        classifier = sum((np.cosh(r * t) * W + np.sinh(r * t) * means) @ P for r, P in parts)
        moved = sum((np.cosh(r * t) * means + np.sinh(r * t) * W) @ P for r, P in parts)
        return np.hstack([classifier, H + (moved - means) @ self.V.T])

    def velocity(self, S: Array, *, cross_entropy: bool = False) -> Array:
        """The two partial gradients of the loss, or of the cross-entropy, with a minus."""
        M = self.Y - softmax(S[:, :C].T @ S[:, C:], axis=0) if cross_entropy else self.M
        return np.hstack([S[:, C:] @ M.T, S[:, :C] @ M]) / M.shape[1]

    def collapse(self, S: Array) -> tuple[float, float]:
        """NC1: within-class over between-class variation; NC3: |W - means| / |W|, both of the contrasts."""
        W, H = S[:, :C], S[:, C:]
        means, within = H @ self.V @ self.P, H - H @ self.V @ self.V.T
        return float((within**2).sum() / (means**2).sum()), distance(means, W @ self.P)


def simplex_distance(W: Array) -> float:
    """How far the Gram matrix of a classifier W (d, C) is from that of a simplex, both of norm 1 (NC2)."""
    G, P = W.T @ W, np.eye(C) - 1.0 / C
    return distance(G / np.linalg.norm(G), P / np.linalg.norm(P))


def _peeled(s: Settings) -> Items:
    model, h = Peeled(s), s.step
    r, A, W, H = model.rates[0], model.generator(), model.S[:, :C], model.S[:, C:]
    short = 4.0 * h * round(1.0 / (4.0 * h * r))  # a whole number of the steps 2 h and h
    flow, power = model.closed_form(short), model.S @ np.linalg.matrix_power(np.eye(len(A)) + h * A, round(short / h))
    rough, end = (descend(model.velocity, model.S, step, short) for step in (2.0 * h, h))
    cross = descend(partial(model.velocity, cross_entropy=True), model.S, h, short)
    times = np.linspace(0.0, s.time, 81)
    path = list(accumulate(times[1:], lambda S, _: descend(model.velocity, S, h, times[1]), initial=model.S))
    collapse, late = np.array([model.collapse(S) for S in path]), times >= 0.6 * s.time
    found = [decay(times[late], column) for column in collapse[late].T]
    predicted = [-2.0 * np.log1p(h * r) / h, np.log((1 - h * r) / (1 + h * r)) / h]
    limit = (W + H @ model.V) @ model.P  # the classifier grows like limit exp(r t) / 2
    reached, size, dying = simplex_distance(path[-1][:, :C]), np.linalg.norm(limit), np.exp(-2.0 * r * times)
    nc1 = 4.0 * ((H - H @ model.V @ model.V.T) ** 2).sum() / size**2 * dying
    nc3 = 2.0 * np.linalg.norm((W - H @ model.V) @ model.P) / size * dying
    return [
        panel("Collapse at a closed-form rate",
              line(times, np.column_stack([nc1, nc3]), MUTED, style="--"),
              dots(times[::4], collapse[::4, 0], F1, "NC1, within / between"),
              dots(times[::4], collapse[::4, 1], F2, "NC3, classifier - means"),
              below="layer-peeled model, linear loss; dots: descent, dashed: predicted", xlabel="flow time", log="y"),
        compare("matrix-exponential", "The closed form in cosh and sinh is the exponential of the generator.",
                distance(flow, model.S @ expm(short * A)), within=1e-12),
        compare("descent-exact", "Gradient descent is a power of I + step A.", distance(end, power), within=1e-10),
        halves("The distance of descent from the flow", [distance(rough, flow), distance(end, flow)], within=0.05),
        compare("nc1-rate", "Within-class variation dies at twice the rate of the class means (NC1), at this step.",
                found[0], "=", predicted[0], within=1e-4 * abs(predicted[0]), note=f"flow: {-2 * r:.6f}"),
        compare("nc3-rate", "Classifier and class means align at the same rate (NC3), at this step.",
                found[1], "=", predicted[1], within=1e-4 * abs(predicted[1]), note=f"flow: {-2 * r:.6f}"),
        compare("nc2-limit", "The classifier tends to (W0 + Hb) P: distance of its Gram matrix from a simplex.",
                reached, "=", simplex_distance(limit), within=1e-3),
        mistake("nc2-simplex", "The limit is a simplex from every start.", reached, within=0.1),
        mistake("cross-entropy", "The closed form describes the cross-entropy.", distance(cross, flow), within=1e-2),
    ]  # fmt: skip


def grow(Z: Array, y: Array, s: Settings, rate: float, *, frozen: bool = True) -> tuple[Measure, Array]:
    """The network of mass 1 and the log of the mass after each step of d(a, b)/dt = grad J.

    `frozen=False` reweights the points by exp(-y f) (exponential loss). The frozen flow is homogeneous: the net is
    rescaled to mass 1 after every step and the factors are added up.
    """
    rng, h, total, mass = np.random.default_rng(s.seed), STEP / rate, 0.0, []
    a, b = rng.standard_normal((s.width, Z.shape[1])), rng.standard_normal(s.width)
    for _ in range(round(s.growth / STEP)):
        active = np.maximum(a @ Z.T, 0.0)
        p = y * softmax(-y * (b @ active) * np.exp(total) * (not frozen))
        a, b = a + h * b[:, None] * ((active > 0) @ (Z * p[:, None])), b + h * (active @ p)
        size = 0.5 * float((a**2).sum() + b @ b)
        a, b, total = a / np.sqrt(size), b / np.sqrt(size), total + np.log(size)
        mass.append(total)
    return Measure(a, b).normalised(1), np.array(mass)


def _two_layers(s: Settings) -> Items:
    Z = np.random.default_rng(s.seed + 1).standard_normal((POINTS, 2))
    y = np.where(np.arange(POINTS) % 2, -1.0, 1.0)
    best = exact_oracle(Z, RELU)(y / len(y), 1)
    B, h = best.bound, STEP / best.bound
    (net, mass), (free, _) = grow(Z, y, s, B), grow(Z, y, s, B, frozen=False)
    margin, free_margin = ((y * network.outputs(Z, RELU)).min() for network in (net, free))
    slope = np.diff(mass[-len(mass) // 3 :]).mean() / h
    solved = max_margin((Z, y), bias=False, convention="path")

    def payoff(directions: Array) -> Array:
        return np.abs(RELU.evaluate(directions, Z) @ y) / len(y)

    def shown(network: Measure, label: str, colour: str) -> Mark:
        share = np.abs(network.weights)
        heavy, size = network.directions[share > 1e-4], 12 + 150 * share[share > 1e-4]
        place = np.arctan2(heavy[:, 1], heavy[:, 0])
        return mark("scatter", place, payoff(heavy), s=size, color=colour, alpha=0.8, label=label, zorder=3)

    angles = np.linspace(-np.pi, np.pi, 721)
    return [
        panel("The frozen adversary",
              line(angles, payoff(np.column_stack([np.cos(angles), np.sin(angles)])), INK, "payoff, uniform weights"),
              level(B, "exact best response"),
              shown(net, "neurons, unhinged loss", NEGATIVE), shown(free, "neurons, exponential loss", POSITIVE),
              below="the unhinged net ends in one neuron, which separates nothing",
              xlabel="direction of the neuron (radians)", legend="upper left", ylim=(0.0, 1.7 * B)),
        compare("mass-slope", "The log of the mass grows by 2 B, the best response to uniform weights (at this step).",
                slope, "=", 2.0 * np.log1p(h * B) / h, within=1e-3 * B, note=f"flow: {2 * B:.6f}"),
        compare("one-neuron", "The network collapses to that best response: cosine of its heaviest neuron.",
                net.directions[np.argmax(np.abs(net.weights))] @ best.directions[0], "=", 1.0, within=1e-6),
        compare("unhinged-margin", "The unhinged net separates nothing: silent or wrong on one class.", margin, "<="),
        compare("margin-exists", "The exponential loss reaches half of the max margin from the same start.",
                free_margin, ">=", 0.5 * solved.upper, note=f"gamma_1 in [{solved.lower:.6f}, {solved.upper:.6f}]"),
        mistake("exponential-tail", "The flow of the exponential loss separates nothing.", free_margin, "<="),
    ]  # fmt: skip


LAB = Lab(
    "unhinged-loss", "Neural collapse under the unhinged loss (arXiv 2312.07841)",
    "layer-peeled descent with its matrix exponential; a ReLU net with the best response to uniform weights",
    (_peeled, _two_layers), (1.0, 2.0), Settings(time=260.0, step=0.025, width=1000, growth=80.0),
)  # fmt: skip
