"""Pruning before training: which class a pruned net learns, and whether signal or noise wins the race.

Two patches, K classes: F_k(x) = sum_r s(<m_kr w_kr, mu e_y>) + s(<m_kr w_kr, xi>), s(t) = max(t, 0)^3, masks m of
Bernoulli(p), cross-entropy, descent from N(0, sigma^2). While the logits are near 0 each neuron moves alone (ours):

    signal   ds/dt = 3 mu^2 (n_k / n) (1 - 1/K) s^2,              blow-up at 1 / (3 mu^2 (n_k / n) (1 - 1/K) s_0),
    noise    dq/dt = (3 / n) (1 - 1/K) |m_r xi_i|^2 q^2,         blow-up at n / (3 (1 - 1/K) |m_r xi_i|^2 q_0).

Class k generalises if its best signal blows up before the median of its noises; it can do so only if some neuron keeps
coordinate k with a positive start, which has probability 1 - (1 - p/2)^m.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..plots.style import F1, INK, MUTED, NEGATIVE, POSITIVE
from .panels import finish, two_panels
from .shape import Lab, LabResult, compare

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """Keep probabilities p, seeds, and the sizes of the problem."""

    keep: tuple[float, ...] = (0.5, 0.2, 0.1)
    seeds: int = 3
    classes: int = 2
    dimension: int = 400
    points: int = 100
    width: int = 60
    signal: float = 1.5
    noise: float = 0.5
    start: float = 0.01
    step: float = 0.1
    most_steps: int = 4000
    masks: int = 2000


@dataclass(frozen=True)
class Outcome:
    """A run: race T_s / T_n of each class (inf: no neuron is alive), with and without the mask on the noise; test
    accuracy, training loss, doubling time of the best signal over its prediction.
    """

    keep: float
    race: Array
    unmasked: Array
    accuracy: float
    loss: float
    doubling: float


def _noise(settings: Settings, n: int, rng: np.random.Generator) -> Array:
    """(n, d), zero on the coordinates of the signals."""
    Xi = settings.noise * rng.standard_normal((n, settings.dimension))
    Xi[:, : settings.classes] = 0.0
    return Xi


def _logits(W: Array, Xi: Array, y: NDArray[np.int64], settings: Settings) -> tuple[Array, Array, Array]:
    """Signals (K m, n), noises (K m, n) after max(., 0), and logits (K, n)."""
    s, q = np.maximum(settings.signal * W[:, y], 0.0), np.maximum(W @ Xi.T, 0.0)
    return s, q, (s**3 + q**3).reshape(settings.classes, settings.width, len(y)).sum(axis=1)


def race(W: Array, mask: Array, Xi: Array, y: NDArray[np.int64], settings: Settings) -> tuple[Array, Array]:
    """T_s / median T_n of each class before training, and T_s; the mask counts in |m xi|^2 only."""
    K, m, n = settings.classes, settings.width, len(y)
    frozen, signal, ratio = 3.0 * (1.0 - 1.0 / K), np.full(K, np.inf), np.full(K, np.inf)
    for k in range(K):
        own = slice(k * m, (k + 1) * m)
        s = settings.signal * max(W[own, k].max(), 0.0)
        pull = (mask[own] @ (Xi[y == k] ** 2).T) * np.maximum(W[own] @ Xi[y == k].T, 0.0)
        if s > 0.0:
            signal[k] = 1.0 / (frozen * settings.signal**2 * np.mean(y == k) * s)
            ratio[k] = signal[k] / np.median(n / (frozen * pull.max(axis=0)))
    return ratio, signal


def train(keep: float, seed: int, settings: Settings) -> Outcome:
    """Descent until the loss is below 1e-3, or for `most_steps`."""
    rng, K, m, n = np.random.default_rng([seed, round(1000 * keep)]), settings.classes, settings.width, settings.points
    y, Xi = np.arange(n) % K, _noise(settings, n, rng)
    mask = (rng.random((K * m, settings.dimension)) < keep).astype(float)
    W = mask * settings.start * rng.standard_normal(mask.shape)
    (ratio, signal), (unmasked, _) = (race(W, part, Xi, y, settings) for part in (mask, np.ones_like(mask)))
    labels, class_of, first = np.eye(K)[:, y], np.repeat(np.arange(K), m), int(np.argmin(ratio))
    height, loss, doubling = W[class_of == first, first].max(), np.inf, np.nan
    for step in range(settings.most_steps):
        s, q, F = _logits(W, Xi, y, settings)
        P = np.exp(F - F.max(axis=0))
        P /= P.sum(axis=0)
        loss = float(-np.log((P * labels).sum(axis=0) + 1e-300).mean())
        if loss < 1e-3:
            break
        if np.isnan(doubling) and W[class_of == first, first].max() >= 2.0 * height:
            doubling = step * settings.step / (0.5 * signal[first])
        R = ((labels - P) / n)[class_of]
        G = (R * 3.0 * q**2) @ Xi
        for k in range(K):
            G[:, k] += settings.signal * (R * 3.0 * s**2)[:, y == k].sum(axis=1)
        W += settings.step * mask * G
    fresh = np.arange(1000) % K
    accuracy = np.mean(_logits(W, _noise(settings, 1000, rng), fresh, settings)[2].argmax(axis=0) == fresh)
    return Outcome(keep, ratio, unmasked, float(accuracy), loss, doubling)


def alive(keep: float, settings: Settings) -> float:
    """Share of masks and starts in which some neuron of a class keeps its coordinate with a positive start."""
    rng, shape = np.random.default_rng(round(1e4 * keep)), (settings.masks, settings.width)
    return float(((rng.random(shape) < keep) & (rng.standard_normal(shape) > 0)).any(axis=1).mean())


def critical_keep(settings: Settings) -> float:
    """Keep probability at which signal and noise blow up together: a fixed point of means of maxima."""
    m, rng = settings.width, np.random.default_rng(0)

    def most(q: float) -> float:
        return float(np.maximum(rng.standard_normal((4000, max(1, round(q)))).max(axis=1), 0.0).mean())

    p = 0.5
    for _ in range(30):
        ratio = settings.points * settings.signal**3 * most(p * m) / (settings.classes * settings.noise**3 * most(m))
        p = min(1.0, ratio ** (2.0 / 3.0) / settings.dimension)
    return p


def run(settings: Settings) -> LabResult:
    """Races predicted before training, accuracies after it, and the probability of being alive."""
    outcomes = [train(p, seed, settings) for p in settings.keep for seed in range(settings.seeds)]
    worst, best = (np.array([pick(o.race) for o in outcomes]) for pick in (np.max, np.min))
    forgotten = np.array([o.unmasked.min() for o in outcomes])
    accuracy, keep = (np.array([getattr(o, name) for o in outcomes]) for name in ("accuracy", "keep"))
    rare = np.array([0.1, 0.05, 0.02, 0.01])
    found = np.array([alive(p, settings) for p in rare])
    right, wrong = (1.0 - (1.0 - rare / share) ** settings.width for share in (2.0, 1.0))
    sd = np.sqrt(right * (1.0 - right) / settings.masks)
    medians = [np.median(accuracy[keep == p]) for p in (0.1, 0.5)]
    doublings = np.array([o.doubling for o in outcomes if o.race.min() <= 0.7])
    findings = (
        compare("signal-wins",
                "Where each class is alive and its signal wins (T_s/T_n <= 0.7), the net generalises (least accuracy).",
                min(accuracy[worst <= 0.7], default=np.nan), ">=", 0.95,
                note=f"{np.sum(worst <= 0.7)} runs of {len(outcomes)}"),
        compare("noise-wins", "Where the noise of each class wins (T_s/T_n >= 1.2), it guesses (largest accuracy).",
                max(accuracy[best >= 1.2], default=np.nan), "<=", 0.6,
                note=f"{np.sum(best >= 1.2)} runs of {len(outcomes)}"),
        compare("memorised", "The training loss does not tell: it is small in every run with p >= 0.05.",
                max(o.loss for o in outcomes if o.keep >= 0.05), "<=", 0.01),
        compare("pruning-helps", "Pruning helps: median accuracy at p = 0.1 less that at p = 0.5.",
                medians[0] - medians[1], ">=", 0.3),
        compare("doubling", "A winning signal doubles at half of its blow-up time (median ratio).",
                np.median(doublings), "=", 1.0, within=0.05),
        compare("alive", "A class is alive with probability 1 - (1 - p/2)^m (largest deviation, in its sd).",
                np.max(np.abs(found - right) / sd), "<=", 3.0),
        compare("alive-sign", "A class is alive with probability 1 - (1 - p)^m.",
                np.max(np.abs(found - wrong) / sd), "<=", 3.0, broken=True),
        compare("noise-unmasked", "Where every noise without its mask blows up first, the net guesses.",
                max(accuracy[forgotten >= 1.2], default=np.nan), "<=", 0.6, broken=True),
    )  # fmt: skip
    arrays = {"keep": keep, "worst": worst, "best": best, "accuracy": accuracy}
    return LabResult(findings, {**arrays, "critical": critical_keep(settings), "width": settings.width})


def figure(result: LabResult) -> Figure:
    """Accuracy against the race, and against the keep probability."""
    (drawing, left, right), a = two_panels(sharey=True), result.arrays
    worst, best, dead = (np.minimum(a["worst"], 20.0), a["best"], ~np.isfinite(a["worst"]))
    colour = np.where(worst <= 0.7, POSITIVE, np.where(best >= 1.2, NEGATIVE, MUTED))
    left.hlines(a["accuracy"], best, worst, color=colour, linewidth=1.0)
    left.scatter(best, a["accuracy"], c=colour, s=30, zorder=3)
    left.scatter(worst[~dead], a["accuracy"][~dead], c=colour[~dead], s=30, zorder=3)
    left.axvline(1.0, color=MUTED, linestyle="--", linewidth=1.0)
    left.set_ylabel("test accuracy")
    about = "a line joins the classes of a run, to the right end if one is dead"
    finish(left, "The race decides", about, x="blow-up time of the signal / of the noise", log="x", legend="")
    left.xaxis.set_minor_formatter("")
    rng = np.random.default_rng(0)
    shaken = a["keep"] * np.exp(0.03 * rng.standard_normal(len(a["keep"])))
    right.scatter(shaken, a["accuracy"], c=colour, s=30, zorder=3)
    right.axvline(a["critical"], color=INK, linestyle="--", linewidth=1.0, label="predicted crossover")
    grid = np.geomspace(0.02, 1.0, 100)
    right.plot(grid, 1.0 - (1.0 - grid / 2.0) ** a["width"], color=F1, linewidth=1.2, label="chance of a class alive")
    about = "orange: every signal wins; blue: every noise wins; grey: undecided"
    finish(right, "Pruning helps, then kills", about, x="keep probability", log="x", legend="center right")
    return drawing


LAB = Lab(
    name="random-pruning",
    paper="Random pruning of over-parameterized networks can improve generalization (JMLR 2025, arXiv 2301.00335)",
    compares="test accuracy with a race of two blow-up times, known before training",
    smoke=Settings(),
    full=Settings(keep=(1.0, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02), seeds=8),
    seconds=(5.0, 50.0),
    run=run,
    figure=figure,
)
