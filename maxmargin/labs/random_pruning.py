"""Pruning before training: which class a pruned net learns, and whether signal or noise wins the race.

Two patches, K classes: F_k(x) = sum_r s(<m_kr w_kr, mu e_y>) + s(<m_kr w_kr, xi>), s(t) = max(t, 0)^3, masks m of
Bernoulli(p), cross-entropy, descent from N(0, sigma^2). Class k generalises if its best signal blows up before the
median of its noises (`race`); only a class is alive of which some neuron keeps coordinate k with a positive start.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.integrate import trapezoid
from scipy.special import ndtr, softmax

from ..conventions import Array, Indices
from ..plots.panels import line, mark, panel, upright
from ..plots.style import F1, INK, MUTED, NEGATIVE, POSITIVE
from .shape import Items, Lab, compare, mistake

K, DIMENSION, POINTS, WIDTH = 2, 400, 100, 60
SIGNAL, NOISE, START = 1.5, 0.5, 0.01  # mu; standard deviations of a coordinate of xi, and of w
STEP, MOST_STEPS, MASKS = 0.1, 4000, 2000
FROZEN = 3.0 * (1.0 - 1.0 / K)  # the factor of both races while the logits are near 0


@dataclass(frozen=True)
class Settings:
    """Keep probabilities p, seeds of each."""

    keep: tuple[float, ...] = (0.5, 0.2, 0.1)
    seeds: int = 3


def _noise(n: int, rng: np.random.Generator) -> Array:
    """(n, d), zero on the coordinates of the signals."""
    Xi = NOISE * rng.standard_normal((n, DIMENSION))
    Xi[:, :K] = 0.0
    return Xi


def _logits(W: Array, Xi: Array, y: Indices) -> tuple[Array, Array, Array]:
    """Signals (K, m, n), noises (K, m, n) after max(., 0), and logits (K, n), for weights W (K, m, d)."""
    s, q = np.maximum(SIGNAL * W[:, :, y], 0.0), np.maximum(W @ Xi.T, 0.0)
    return s, q, (s**3 + q**3).sum(axis=1)


def alive(keep: float) -> float:
    """Share of masks and starts in which some neuron of a class keeps its coordinate with a positive start."""
    rng, shape = np.random.default_rng(round(1e4 * keep)), (MASKS, WIDTH)
    return float(((rng.random(shape) < keep) & (rng.standard_normal(shape) > 0)).any(axis=1).mean())


def race(W: Array, mask: Array, Xi: Array, y: Indices) -> tuple[Array, Array]:
    """T_s / median T_n of each class before training, and T_s; the mask counts in |m xi|^2 only.

    While logits are near 0, T_s = 1 / (3 mu^2 (n_k / n) (1 - 1/K) s_0) and T_n = n / (3 (1 - 1/K) |m xi|^2 q_0).
    """
    signal, ratio = np.full(K, np.inf), np.full(K, np.inf)
    for k in range(K):
        s, noise = SIGNAL * W[k, :, k].max(), Xi[y == k].T
        pull = (mask[k] @ noise**2) * np.maximum(W[k] @ noise, 0.0)
        if s > 0.0:
            signal[k] = 1.0 / (FROZEN * SIGNAL**2 * np.mean(y == k) * s)
            ratio[k] = signal[k] / np.median(len(y) / (FROZEN * pull.max(axis=0)))
    return ratio, signal


def train(keep: float, seed: int) -> tuple[float, ...]:
    """Descent until the loss is below 1e-3, or for the most steps.

    p; best and worst race T_s / T_n of a class (inf: none of its neurons is alive), best race without the mask on the
    noise; test accuracy, training loss, doubling time of the best signal over its prediction.
    """
    rng, y = np.random.default_rng([seed, round(1000 * keep)]), np.arange(POINTS) % K
    Xi = _noise(POINTS, rng)
    mask = (rng.random((K, WIDTH, DIMENSION)) < keep).astype(float)
    W = mask * START * rng.standard_normal(mask.shape)
    (ratio, signal), (unmasked, _) = (race(W, noise_mask, Xi, y) for noise_mask in (mask, np.ones_like(mask)))
    labels, first, loss, doubling = np.eye(K)[:, y], int(np.argmin(ratio)), np.inf, np.nan
    height = W[first, :, first].max()
    for step in range(MOST_STEPS):
        s, q, F = _logits(W, Xi, y)
        P = softmax(F, axis=0)
        loss = float(-np.log((P * labels).sum(axis=0) + 1e-300).mean())
        if loss < 1e-3:
            break
        if np.isnan(doubling) and W[first, :, first].max() >= 2.0 * height:
            doubling = step * STEP / (0.5 * signal[first])
        R = 3.0 / POINTS * (labels - P)[:, None]
        G = (R * q**2) @ Xi
        G[:, :, :K] += SIGNAL * (R * s**2) @ labels.T
        W += STEP * mask * G
    fresh = np.arange(1000) % K
    accuracy = np.mean(_logits(W, _noise(1000, rng), fresh)[2].argmax(axis=0) == fresh)
    return keep, ratio.min(), ratio.max(), unmasked.min(), accuracy, loss, doubling


def critical_keep() -> float:
    """Keep probability at which signal and noise blow up together: a fixed point of means of maxima of normals."""
    x, p = np.linspace(0.0, 8.0, 801), 0.5
    for _ in range(30):
        signal, noise = (trapezoid(1.0 - ndtr(x) ** neurons, x) for neurons in (p * WIDTH, WIDTH))
        p = min(1.0, float(POINTS * SIGNAL**3 * signal / (K * NOISE**3 * noise)) ** (2.0 / 3.0) / DIMENSION)
    return p


def run(s: Settings) -> Items:
    """Races predicted before training, accuracies after it, and the probability of being alive."""
    runs = np.array([train(p, seed) for p, seed in product(s.keep, range(s.seeds))])
    keep, best, worst, unmasked, accuracy, loss, doubling = runs.T
    won, lost, end, living = worst <= 0.7, best >= 1.2, np.minimum(worst, 20.0), np.isfinite(worst)
    rare = np.array([0.1, 0.05, 0.02, 0.01])
    found, (right, wrong) = [alive(p) for p in rare], 1.0 - (1.0 - rare / np.array([[2.0], [1.0]])) ** WIDTH
    off = [np.max(np.abs(found - form) / np.sqrt(right * (1.0 - right) / MASKS)) for form in (right, wrong)]
    colour, look = np.where(won, POSITIVE, np.where(lost, NEGATIVE, MUTED)), {"s": 30, "zorder": 3}
    shaken, grid = keep * np.exp(0.03 * np.random.default_rng(0).standard_normal(len(keep))), np.geomspace(0.02, 1.0)
    return [
        panel("The race decides",
              mark("hlines", accuracy, best, end, color=colour, linewidth=1.0),
              mark("scatter", best, accuracy, c=colour, **look),
              mark("scatter", end[living], accuracy[living], c=colour[living], **look),
              upright(1.0), lambda axes: axes.xaxis.set_minor_formatter(""),
              xlabel="blow-up time of the signal / of the noise", log="x", legend="", ylim=(0.0, 1.05),
              ylabel="test accuracy", below="a line joins the classes of a run, to the right end if one is dead"),
        panel("Pruning helps, then kills",
              mark("scatter", shaken, accuracy, c=colour, **look),
              upright(critical_keep(), "predicted crossover", INK),
              line(grid, 1.0 - (1.0 - grid / 2.0) ** WIDTH, F1, "chance of a class alive"),
              xlabel="keep probability", log="x", legend="lower right", ylim=(0.0, 1.05),
              below="orange: every signal wins; blue: every noise wins; grey: undecided"),
        compare("signal-wins", "Where the signal of each class wins (T_s/T_n <= 0.7), the net learns (least accuracy).",
                min(accuracy[won], default=np.nan), ">=", 0.95, note=f"{won.sum()} runs of {len(runs)}"),
        compare("noise-wins", "Where the noise of each class wins (T_s/T_n >= 1.2), it guesses (largest accuracy).",
                max(accuracy[lost], default=np.nan), "<=", 0.6, note=f"{lost.sum()} runs of {len(runs)}"),
        compare("memorised", "The training loss does not tell: it is small in every run with p >= 0.05.",
                loss[keep >= 0.05].max(), "<=", 0.01),
        compare("pruning-helps", "Pruning helps: median accuracy at p = 0.1 less that at p = 0.5.",
                np.median(accuracy[keep == 0.1]) - np.median(accuracy[keep == 0.5]), ">=", 0.3),
        compare("doubling", "A winning signal doubles at half of its blow-up time (median ratio).",
                np.median(doubling[best <= 0.7]), "=", 1.0, within=0.05),
        compare("alive", "A class is alive with probability 1 - (1 - p/2)^m (largest error in sd).", off[0], "<=", 3.0),
        mistake("alive-sign", "A class is alive with probability 1 - (1 - p)^m.", off[1], "<=", 3.0),
        mistake("noise-unmasked", "Where every noise without its mask blows up first, the net guesses.",
                max(accuracy[unmasked >= 1.2], default=np.nan), "<=", 0.6),
    ]  # fmt: skip


LAB = Lab(
    "random-pruning",
    "Random pruning of over-parameterized networks can improve generalization (JMLR 2025, arXiv 2301.00335)",
    "test accuracy with a race of two blow-up times, known before training",
    (run,), (5.0, 50.0), Settings(keep=(1.0, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02), seeds=8),
)  # fmt: skip
