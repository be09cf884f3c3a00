"""Soft margins: the worst mean, brackets of arbitrary pairs, both ends of nu, and independent programs."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

import maxmargin as mm
from maxmargin.features import RELU
from maxmargin.games.measure import Measure
from maxmargin.games.rkhs import KernelExpansion, network_game
from maxmargin.games.soft import Capped, capped, largest_weight, worst_mean
from maxmargin.games.variation import VariationGame
from maxmargin.oracles.selection import exact_oracle
from maxmargin.solvers.soft_margin import soft_margin

NUS = (0.03, 0.1, 0.25, 0.6, 0.97, 1.0)


def noise(n=24, d=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, np.where(np.arange(n) % 3 == 0, 1.0, -1.0)


def with_bias(X):
    return np.hstack([X, np.ones((len(X), 1))])


# Thousandths: the reference LP ignores differences below its tolerance of 1e-7.
@given(st.lists(st.integers(-9000, 9000).map(lambda k: k / 1000), min_size=1, max_size=12), st.floats(0.01, 1.0))
@settings(max_examples=60, deadline=None)
def test_worst_mean_is_the_value_of_its_linear_program(margins, nu):
    u = np.array(margins)
    cap = largest_weight(nu, len(u))
    program = linprog(u, A_eq=np.ones((1, len(u))), b_eq=[1.0], bounds=[(0.0, cap)] * len(u))
    assert worst_mean(u, cap) == pytest.approx(program.fun, abs=1e-9)


@given(st.lists(st.floats(0.0, 9), min_size=2, max_size=12).filter(lambda p: sum(p) > 1e-3), st.floats(0.01, 1.0))
@settings(max_examples=60, deadline=None)
def test_capped_weights_are_feasible(weights, nu):
    cap = largest_weight(nu, len(weights))
    p = capped(np.array(weights), cap)
    assert p.min() >= 0.0
    assert p.max() <= cap
    assert p.sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("nu", NUS)
def test_brackets_hold_for_any_pair(seed, nu):
    X, y = noise(seed=seed)
    Z, rng, cap = with_bias(X), np.random.default_rng(seed), largest_weight(nu, len(y))
    p = capped(rng.exponential(size=len(y)), cap)
    variation = VariationGame(Z, y, RELU, oracle=exact_oracle(Z, RELU))
    kernel = network_game("f2", "relu", Z, y)
    a = rng.standard_normal((9, 3))
    w = 0.3 * (RELU.evaluate(a, Z) @ (y * p)) + 0.05 * rng.standard_normal(9)
    for bracket in (
        Capped(variation, cap).certify(Measure(a, w), p),
        Capped(kernel, cap).certify(KernelExpansion(y * p), p),
    ):
        assert 0.0 <= bracket.lower <= bracket.upper


def test_the_lower_end_survives_exact_arithmetic():
    X, y = noise()
    model = mm.VariationMaxMarginClassifier(nu=0.25, random_state=0).fit(X, y)
    measure, cap = model.certificate_.classifier, Fraction(largest_weight(0.25, len(y)))

    def exact(array):
        return [[Fraction(float(entry)) for entry in row] for row in np.atleast_2d(array)]

    Z, A, (w,) = exact(with_bias(X)), exact(measure.directions), exact(measure.weights)
    margins = []
    for z, label in zip(Z, y, strict=True):
        values = (max(sum(a * b for a, b in zip(row, z, strict=True)), Fraction(0)) for row in A)
        margins.append(int(label) * sum(weight * value for weight, value in zip(w, values, strict=True)) / 2)
    left, worst = Fraction(1), Fraction(0)
    for margin in sorted(margins):
        share = min(cap, left)
        worst, left = worst + share * margin, left - share
    # |a_k| differs from one by rounding: compare squares with the exact total variation's upper bound.
    norm = sum(abs(weight) * (1 + (sum(a * a for a in row) - 1) / 2) for weight, row in zip(w, A, strict=True))
    assert Fraction(model.margin_) <= worst / norm
    assert float(worst / norm) == pytest.approx(model.margin_, rel=1e-9)


@pytest.mark.parametrize("nu", NUS)
def test_low_dimension_closes_the_bracket(nu):
    X, y = noise()
    variation = mm.VariationMaxMarginClassifier(nu=nu, tol=1e-6).fit(X, y)
    kernel = mm.KernelMaxMarginClassifier(nu=nu).fit(X, y)
    for model in (variation, kernel):
        lower, upper = model.bracket_
        assert 0.0 < lower <= upper <= lower * (1 + 1.1e-6)
        assert model.dual_weights_.max() <= largest_weight(nu, len(y))
        wrong = (model.predict(X) != y).mean()
        assert wrong < nu


@pytest.mark.parametrize("make", [mm.VariationMaxMarginClassifier, mm.KernelMaxMarginClassifier])
def test_a_softer_margin_is_larger_and_the_hardest_is_hard(make):
    X, y = noise(n=20)
    margins = [make(nu=nu).fit(X, y).margin_ for nu in (0.05, 0.2, 0.5, 1.0)]
    assert make().fit(X, y).margin_ == pytest.approx(margins[0], rel=1e-4)
    assert all(b >= a * (1 - 1e-4) for a, b in zip(margins, margins[1:], strict=False))


def test_full_softness_has_a_closed_form():
    """nu = 1: p is uniform, so gamma = |mean of y_i K(x_i, .)|, and one neuron solves F1."""
    X, y = noise()
    Z, p = with_bias(X), np.full(len(y), 1.0 / len(y))
    K = np.asarray(network_game("f2", "relu", Z, y).K) * network_game("f2", "relu", Z, y).scale ** 2
    kernel = mm.KernelMaxMarginClassifier(nu=1.0).fit(X, y)
    assert kernel.margin_ == pytest.approx(np.sqrt((p * y) @ K @ (p * y)), rel=1e-9)
    variation = mm.VariationMaxMarginClassifier(nu=1.0, tol=1e-9).fit(X, y)
    best = exact_oracle(Z, RELU)(p * y).values[0]
    assert variation.margin_ == pytest.approx(best / 2, rel=1e-6)


@pytest.mark.parametrize("nu", [0.1, 0.3, 0.7])
def test_kernel_against_a_general_purpose_minimiser(nu):
    X, y = noise(n=16, seed=3)
    game, cap = network_game("ntk", "relu", with_bias(X), y), largest_weight(nu, 16)
    Q = np.asarray(game.K) * np.outer(y, y)
    p = soft_margin(game.K, y, cap).p
    start = np.full(16, 1 / 16)
    general = minimize(
        lambda v: v @ Q @ v,
        start,
        jac=lambda v: 2 * Q @ v,
        bounds=[(0, cap)] * 16,
        constraints={"type": "eq", "fun": lambda v: v.sum() - 1, "jac": lambda v: np.ones(16)},
        options={"maxiter": 500, "ftol": 1e-15},
    )
    assert p @ Q @ p <= general.fun * (1 + 1e-9)
    assert p @ Q @ p == pytest.approx(general.fun, rel=1e-3)


def test_doubling_every_point_changes_nothing():
    X, y = noise()
    for make in (mm.VariationMaxMarginClassifier, mm.KernelMaxMarginClassifier):
        once = make(nu=0.25).fit(X, y).margin_
        twice = make(nu=0.25).fit(np.vstack([X, X]), np.concatenate([y, y])).margin_
        assert twice == pytest.approx(once, rel=2e-4)
