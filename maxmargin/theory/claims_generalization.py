"""Interclass distances and how the margins scale in them (section 6, Appendix G)."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ..conventions import Array
from ..datasets.small import polygon, xor
from ..datasets.values import make_dataset
from ..margins import max_margin
from .interclass import interclass_distance
from .ledger import Chapter, Finding, worst

GENERALIZATION = Chapter()


def _two_classes(n: int, d: int, seed: int) -> tuple[Array, Array]:
    X = np.random.default_rng(seed).standard_normal((n, d))
    return X, np.where(np.arange(n) % 2 == 0, 1.0, -1.0)


@GENERALIZATION.claim(
    "delta-by-hand",
    "Delta_r of XOR is sqrt(2) for r = 1 and 2 for r = 2, and zero coordinates do not change it.",
    "Eq. 10",
    "lower ends, exact in the plane and by ascent in four dimensions",
)
def _by_hand() -> Finding:
    data = xor()
    padded = np.hstack([data.X, np.zeros((4, 2))])
    return worst(
        (
            (f"r = {r}, d = {X.shape[1]}", reference, interclass_distance(X, data.y, r).lower)
            for r, reference in ((1, math.sqrt(2.0)), (2, 2.0))
            for X in (data.X, padded)
        ),
        1e-4,
    )


@GENERALIZATION.claim(
    "delta-search",
    "Ascent with restarts finds the Delta_1 that enumeration proves in the plane.",
    "Eq. 10",
    "a plane rotated into three dimensions against the enumeration, five sets of 10 points",
)
def _search() -> Finding:
    def pairs() -> Iterator[tuple[str, float, float]]:
        for seed in range(5):
            X, y = _two_classes(10, 2, seed)
            Q = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]
            yield f"seed {seed}", interclass_distance(X, y, 1).lower, interclass_distance(X @ Q[:2], y, 1).lower

    return worst(pairs(), 1e-3)


@GENERALIZATION.claim(
    "delta-upper",
    "No view keeps the closest pair farther apart than weights on the pairs allow.",
    "Eq. 10 (duality; docs/theory.rst, A4)",
    "largest lower/upper over r = 1..4, five sets of 12 points in dimension 4",
)
def _upper() -> Finding:
    brackets = [interclass_distance(*_two_classes(12, 4, seed), r, steps=120) for seed in range(5) for r in range(1, 5)]
    return Finding(1.0, max(bracket.lower / bracket.upper for bracket in brackets), 1e-9, "<=")


@GENERALIZATION.claim(
    "delta-monotone",
    "Delta_r does not decrease in r, and Delta_d is the least distance between the classes.",
    "Eq. 10",
    "least ratio of successive Delta_r, r = 1..4, two sets of 12 points; Delta_4 by brute force",
)
def _monotone() -> Finding:
    ratios = []
    for seed in range(2):
        X, y = _two_classes(12, 4, seed)
        found = [interclass_distance(X, y, r, steps=120).lower for r in range(1, 5)]
        closest = min(math.dist(p, q) for p in X[y > 0] for q in X[y < 0])
        ratios += [*np.divide(found[1:], found[:-1]), 1.0 - abs(found[3] / closest - 1.0)]
    return Finding(1.0, float(min(ratios)), 1e-6, ">=")


@GENERALIZATION.claim(
    "thm8-sample",
    "Delta_r of a sample is at least that of its population; Delta_r(S_n) <= Delta_r(P), as printed, is a slip.",
    "Theorem 8 / 21",
    "least Delta_1(sample)/Delta_1(population), 20 samples of 8 out of 24 points in the plane",
)
def _sample() -> Finding:
    X, y = _two_classes(24, 2, 3)
    population, rng, ratios = interclass_distance(X, y, 1).lower, np.random.default_rng(0), []
    for _ in range(20):
        rows = np.r_[2 * rng.choice(12, 4, replace=False), 1 + 2 * rng.choice(12, 4, replace=False)]
        ratios.append(interclass_distance(X[rows], y[rows], 1).lower / population)
    printed = Finding(1.0, max(ratios), 1e-9, "<=")
    return Finding(1.0, min(ratios), 1e-9, ">=", f"ratios {min(ratios):.2f} to {max(ratios):.2f}", printed)


@GENERALIZATION.claim(
    "lemma20-minimum",
    "Lemma 20's bound on gamma_1 does not see zero coordinates if it takes the best rank r; "
    "with the worst, as printed, it decays in them.",
    "Lemma 20",
    "(Delta_r/R)^((r+3)/2) over the best and the worst r, 8-gon in 60 dimensions over the plane",
)
def _minimum() -> Finding:
    data = polygon(4)
    # R = 1; with zero coordinates no Delta_r changes, and Delta_r = Delta_2 for r > 2
    first, second = (interclass_distance(data.X, data.y, r).lower for r in (1, 2))

    def bounds(d: int) -> list[float]:
        return [first**2, *(second ** ((r + 3) / 2) for r in range(2, d + 1))]

    change = {best: best(bounds(60)) / best(bounds(2)) for best in (max, min)}
    note = f"the printed minimum is true but falls to {change[min]:.3f} of its value"
    return Finding(1.0, change[max], 1e-12, note=note, printed=Finding(1.0, change[min], 1e-12))


@GENERALIZATION.claim(
    "lemma20-separator",
    "The function in the proof of Lemma 20 is 2 on one class, -2 on the other, and Lipschitz with constant 4/Delta_r.",
    "Lemma 20, proof",
    "largest difference quotient times Delta/4 over 20,000 pairs, Delta = 0.765",
)
def _separator() -> Finding:
    data, delta = polygon(4), interclass_distance(polygon(4).X, polygon(4).y, 2).lower

    def f(X: Array) -> Array:
        distance = np.linalg.norm(X[:, None] - data.X[None], axis=2)
        parts = [2.0 * np.maximum(1.0 - 2.0 * distance[:, data.y == s].min(axis=1) / delta, 0.0) for s in (1, -1)]
        return parts[0] - parts[1]

    rng = np.random.default_rng(0)
    A = rng.uniform(-1.2, 1.2, (20_000, 2))
    B = A + 0.02 * rng.standard_normal(A.shape)
    quotient = float((np.abs(f(A) - f(B)) / np.linalg.norm(A - B, axis=1)).max())
    off = float(np.abs(f(data.X) - 2.0 * data.y).max())
    return Finding(1.0, quotient * delta / 4.0 + off, 1e-3, note=f"largest error on the points {off:.1e}")


def _alternating_line(n: int) -> tuple[Array, Array]:
    return np.linspace(-1.0, 1.0, n)[:, None], np.where(np.arange(n) % 2 == 0, 1.0, -1.0)


@GENERALIZATION.claim(
    "scaling-rank-1",
    "On a line gamma_1 falls no faster than Delta_1 to the power (r+3)/2 = 2.",
    "Lemma 20, r = 1",
    "exponent of gamma_1 in Delta_1, alternating points on [-1, 1], n = 17..65",
)
def _rank_1() -> Finding:
    points = []
    for n in (17, 33, 65):
        data = _alternating_line(n)
        points.append((interclass_distance(*data, 1).lower, max_margin(data).lower))
    return Finding(2.0, _exponent(points), 0.1, "<=")


@GENERALIZATION.claim(
    "scaling-plane",
    "In the plane gamma_1 falls no faster than Delta_2 to the power (r+3)/2 = 5/2.",
    "Lemma 20, r = 2",
    "exponent of gamma_1 in Delta_2, alternating 2k-gons, k = 4..32",
)
def _plane_f1() -> Finding:
    return Finding(2.5, _exponent(_polygon_margins("f1")), 0.0, "<=")


@GENERALIZATION.claim(
    "scaling-plane-f2",
    "In the plane gamma_2 falls no faster than Delta_2 to the power (d+3)/2 = 5/2.",
    "Lemma 20, d = 2",
    "exponent of gamma_2 in Delta_2, alternating 2k-gons, k = 4..32",
)
def _plane_f2() -> Finding:
    return Finding(2.5, _exponent(_polygon_margins("f2")), 0.0, "<=")


def _polygon_margins(norm: str) -> list[tuple[float, float]]:
    sets = [polygon(k) for k in (4, 8, 16, 32)]
    return [(interclass_distance(data.X, data.y, 2).lower, max_margin(data, norm, bias=False).lower) for data in sets]


def _exponent(points: list[tuple[float, float]]) -> float:
    delta, margin = np.log(np.array(points)).T
    return float(np.polyfit(delta, margin, 1)[0])


@GENERALIZATION.claim(
    "bias-f1",
    "A bias never lowers gamma_1, because neurons may leave it unused.",
    "section 2.1",
    "least gamma_1 with bias over without, XOR, 8-gon, random points",
)
def _bias() -> Finding:
    X, y = _two_classes(8, 2, 5)
    sets = [xor(), polygon(4), make_dataset(X, y, "random")]
    return Finding(1.0, min(max_margin(s).upper / max_margin(s, bias=False).lower for s in sets), 0.0, ">=")
