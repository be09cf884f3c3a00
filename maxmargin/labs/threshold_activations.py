"""Threshold activations: training with weight decay is a LASSO over patterns, the max margin a game over patterns.

A unit s 1{u.z >= 0} shows the n points one of finitely many patterns D_k in {0, 1}^n. With a trainable amplitude s,
weight decay (beta/2)(s^2 + w^2) costs beta |w_k| a pattern, so that

    min_w (1/2) |D w - y|^2 + beta |w|_1       and       gamma = max_{|w|_1 <= 1} min_i y_i (D w)_i

are the trained optimum and the max margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import cast

import numpy as np

from ..conventions import Array
from ..features import RELU
from ..features.patterns import ZERO, patterns
from ..games.certificate import Certificate
from ..games.measure import Measure
from ..margins import max_margin
from ..plots.panels import level, line, mark, panel
from ..plots.style import DECISION, F1, F2, INK, NEGATIVE, POSITIVE
from ..solvers.lasso import lasso
from .shape import Items, Lab, compare, mistake

STEP, HIDDEN_STEP = 0.02, 0.2  # of straight-through training, at the start; both fall linearly to 0


@dataclass(frozen=True)
class Settings:
    """n points in the plane with a bias, penalty beta = `penalty` n, straight-through training, sampled directions."""

    points: int = 20
    penalty: float = 0.02
    width: int = 200
    steps: int = 4000
    runs: int = 2
    sampled: int = 50
    seed: int = 3


def margin(D: Array, y: Array) -> Certificate:
    """The max margin of the dictionary of patterns, certified: the package's game over K neurons.

    With the patterns as inputs and the coordinate directions as neurons, neuron k shows exactly D_k.
    """
    return max_margin((D, y), bias=False, convention="path", directions=np.eye(D.shape[1]))


def shattered(y: Array, beta: float) -> float:
    """The least objective over all 2^n patterns: clip positive and negative targets at levels that cost beta."""
    value = 0.0
    for side in (np.maximum(y, 0.0), np.maximum(-y, 0.0)):
        t = max(0.0, ((np.cumsum(np.sort(side)[::-1]) - beta) / np.arange(1, len(y) + 1)).max())
        value += 0.5 * float((np.maximum(side - t, 0.0) ** 2).sum()) + beta * t
    return value


def straight_through(Z: Array, y: Array, settings: Settings, seed: int, clipped: bool) -> Array:
    """Objective after each step of descent that differentiates 1{t >= 0} like t, or like clip(t, -1, 1)."""
    rng, m, beta = np.random.default_rng(seed), settings.width, settings.penalty * len(y)
    u, s, w = rng.standard_normal((m, Z.shape[1])), 0.1 * rng.standard_normal(m), 0.1 * rng.standard_normal(m)
    objective = np.empty(settings.steps)
    for k in range(settings.steps):
        heights, left = Z @ u.T, 1.0 - k / settings.steps
        on = (heights >= 0).astype(float)
        r = on @ (s * w) - y
        objective[k] = r @ r / 2 + beta * np.abs(s * w).sum()
        gate, pull = (np.abs(heights) < 1) | (not clipped), on.T @ r
        u = u - HIDDEN_STEP * left * (s * w)[:, None] * ((gate * r[:, None]).T @ Z)
        s, w = s - STEP * left * (w * pull + beta * s), w - STEP * left * (s * pull + beta * w)
    return objective


def sample(s: Settings) -> tuple[Array, Array, np.random.Generator]:
    """Gaussian points with a bias, balanced labels of a smooth function, and the generator that goes on."""
    rng = np.random.default_rng(s.seed)
    Z = np.column_stack([rng.standard_normal((s.points, 2)), np.ones(s.points)])
    target = np.sin(2.0 * Z[:, 0]) + Z[:, 0] * Z[:, 1]
    return Z, np.where(target > np.median(target), 1.0, -1.0), rng


def _closed_forms(_: Settings) -> Items:
    """Margins of small data; the LASSO over all patterns of six points."""
    six = np.array(list(product((0.0, 1.0), repeat=6))).T  # all patterns of six points
    cross, labels = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]]), np.array([1.0, -1, 1, -1])
    found = {
        "XOR": (0.25, margin(patterns(cross)[0], labels).upper),
        "shattered": (0.5, margin(six[:, :32][1:], np.array([1.0, -1, 1, 1, -1])).upper),
    }
    for n in (2, 3, 5, 8):
        place = np.arange(float(n))
        D, signs = patterns(np.column_stack([place, np.ones(n)]))[0], np.where(place % 2, -1.0, 1.0)
        found[f"line, {n - 1} changes"] = 0.5 / (n - 1), margin(D, signs).upper
    name, (form, solved) = max(found.items(), key=lambda one: abs(one[1][0] - one[1][1]))
    targets = np.array([1.0, -0.7, 0.4, 0.9, -0.2, 0.15])
    return [
        compare("margin-closed-forms", "Max margins: 1/(2 changes) on a line, 1/4 for XOR, 1/2 if shattered.",
                solved, "=", form, within=1e-9, note=f"worst: {name}"),
        mistake("open-cells", "The patterns of the open cells suffice for XOR.",
                margin(patterns(cross, closed=False)[0], labels).upper, "=", 0.25, within=1e-9),
        compare("shattered", "With all 2^n patterns the LASSO clips the targets at two levels.",
                lasso(six, targets, 0.3)[1], "=", shattered(targets, 0.3), within=1e-8),
    ]  # fmt: skip


def _classifiers(s: Settings) -> Items:
    """The max margins of the sample: over patterns, and of ReLU."""
    Z, y, _ = sample(s)
    D, u = patterns(Z)
    sharp, smooth = margin(D, y), max_margin((Z[:, :2], y), convention="path")
    network, reach, n = cast(Measure, sharp.classifier), 1.15 * np.abs(Z[:, :2]).max(), len(y)
    axis = np.linspace(-reach, reach, 301)
    grid = np.column_stack([g.ravel() for g in (*np.meshgrid(axis, axis), np.ones((301, 301)))])
    f = ((grid @ u.T >= 0) @ (network.directions.T @ network.weights)).reshape(301, 301)
    border = cast(Measure, smooth.classifier).outputs(grid, RELU).reshape(301, 301)
    frame = {"extent": (-reach, reach) * 2, "origin": "lower", "vmin": -abs(f).max(), "vmax": abs(f).max()}
    return [
        panel(f"Threshold max margin {sharp.upper:.4f}",
              mark("imshow", f, DECISION, **frame),
              mark("contour", axis, axis, border, levels=[0.0], colors=INK, linewidths=1.0),
              mark("scatter", *Z[:, :2].T, c=np.where(y > 0, POSITIVE, NEGATIVE), edgecolors="white", s=35, zorder=3),
              mark("grid", False),
              legend="", below=f"certified over all patterns; black: border of ReLU, {smooth.upper:.4f}"),
        compare("count", "Points in general position show as many patterns as the arrangement has cells.",
                D.shape[1], "=", 2 * (1 + (n - 1) + (n - 1) * (n - 2) // 2)),
        compare("margin-gap", "The max margin of the sample is certified: relative gap of its bracket.",
                sharp.relative_gap, within=1e-9, note=f"gamma in [{sharp.lower:.9f}, {sharp.upper:.9f}]"),
    ]  # fmt: skip


def _trained(s: Settings) -> Items:
    """The certified optimum, and two straight-through estimators beside it."""
    Z, y, rng = sample(s)
    (D, u), beta, some = patterns(Z), s.penalty * s.points, rng.standard_normal((s.sampled, 3)) @ Z.T >= 0
    lower, upper, w = lasso(D, y, beta)
    coarse = lasso(np.unique(some, axis=0).T.astype(float), y, beta)[0]
    shuffled = rng.permutation(y)
    clipped, identity, harder = (
        np.array([straight_through(Z, labels, s, seed, gate) for seed in range(s.runs)])
        for labels, gate in ((y, True), (y, False), (shuffled, True))
    )
    roots = np.sqrt(np.abs(w))
    misfit = 0.5 * (((Z @ u.T >= -ZERO) @ (roots * roots * np.sign(w)) - y) ** 2).sum()
    steps, rest = np.unique(np.geomspace(1, s.steps, 300).astype(int)), [None] * (s.runs - 1)
    return [
        panel("Objective of straight-through training",
              line(steps, clipped[:, steps - 1].T, F1, ["clipped gate", *rest]),
              line(steps, identity[:, steps - 1].T, F2, ["identity gate", *rest]),
              level(upper, "proved optimum"), xlabel="steps", log="xy"),
        compare("lasso-gap", "The least objective is certified: gap of its primal-dual bracket.",
                upper - lower, within=1e-6, note=f"[{lower:.9f}, {upper:.9f}], {(np.abs(w) > 1e-9).sum()} patterns"),
        compare("rebuilt", "The net built from the LASSO has its objective, with decay of squares (the code: norms).",
                misfit + beta * (roots @ roots), "=", upper, within=1e-9,
                printed=misfit + beta / 2 * np.linalg.norm(roots)),
        compare("never-below", "No training run ends below the proved lower bound.",
                min(clipped[:, -1].min(), identity[:, -1].min()), ">=", lower, within=1e-9),
        compare("clipped", "Training with a clipped gate reaches it on these smooth labels (worst ratio).",
                clipped[:, -1].max() / upper, "<=", 1.01),
        mistake("identity", "With the identity as its gate it reaches the optimum, too (best ratio).",
                identity[:, -1].min() / upper, "<=", 1.01),
        mistake("clipped-random", "The clipped gate reaches it on random labels, too (best ratio).",
                harder[:, -1].min() / lasso(D, shuffled, beta)[1], "<=", 1.01),
        mistake("half-penalty", "The penalty (beta/2) |w|_1 has the trained objective.",
                lasso(D, y, beta / 2)[1], "=", clipped[:, -1].min(), within=0.01 * upper),
        mistake("sampled", f"{s.sampled} random directions reach it (lower bound of theirs over the true optimum).",
                coarse / upper, "<=", 1.01),
    ]  # fmt: skip


LAB = Lab(
    "threshold-activations",
    "Globally optimal training of neural networks with threshold activations (ICLR 2023, arXiv 2303.03382)",
    "straight-through training with the LASSO over all patterns; max margins over patterns with closed forms",
    (_closed_forms, _classifiers, _trained), (2.0, 8.0), Settings(runs=5, steps=20000),
)  # fmt: skip
