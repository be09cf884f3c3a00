"""The F1 games: any learner and any adversary give a valid bracket, and what is claimed survives exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.games.game import Bracket
from maxmargin.games.measure import Measure
from maxmargin.games.variation import DictionaryGame, DictionaryOracle
from maxmargin.outcome import Status

LEAKY = Feature("leaky", 1, 1.0, -0.3)
FEATURES = [RELU, SQUARED_RELU, LEAKY]


def game(
    seed: int, feature: Feature, convention: str = "sphere", *, n: int = 6, D: int = 3, K: int = 9
) -> DictionaryGame:
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((K, D))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    y = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    return DictionaryGame(rng.standard_normal((n, D)), y, feature, convention, directions=directions)


def exact_margin(game: DictionaryGame, measure: Measure) -> tuple[Fraction, Fraction]:
    """(min_i y_i f(x_i) in path units, sum_k |w_k| |a_k|^2), rationally."""
    feature, rows = game.feature, []
    for z, y in zip(game.Z, game.y, strict=True):
        total = Fraction(0)
        for a, w in zip(measure.directions, measure.weights, strict=True):
            u = sum((Fraction(s) * Fraction(t) for s, t in zip(a, z, strict=True)), Fraction(0))
            value = (
                Fraction(feature.right) * max(u, 0) ** feature.degree
                + Fraction(feature.left) * max(-u, 0) ** feature.degree
            )
            total += Fraction(w) * value
        rows.append(Fraction(y) * total)
    return min(rows), sum((abs(Fraction(w)) for w in measure.weights), Fraction(0))


@given(st.integers(0, 10_000), st.sampled_from(FEATURES), st.sampled_from(["sphere", "path"]))
def test_any_pair_gives_a_bracket(seed, feature, convention):
    """min_i margins(nu)/|nu| <= gamma <= best payoff against p, for arbitrary nu and p."""
    rng, g = np.random.default_rng(seed + 1), game(seed, feature, convention)
    measure = Measure(g.directions, rng.standard_normal(len(g.directions)))
    p = rng.random(len(g.y))
    bracket = g.certify(measure, p)
    assert 0 <= bracket.lower <= bracket.upper
    assert bracket.scope == "dictionary"


@given(st.integers(0, 500), st.sampled_from(FEATURES))
def test_lower_survives_exact_arithmetic(seed, feature):
    g = game(seed, feature, n=4, D=2, K=5)
    weights = np.linalg.lstsq((g.y * feature.evaluate(g.directions, g.Z)).T, np.ones(4), rcond=None)[0]
    measure = Measure(g.directions, weights)
    least, total = exact_margin(g, measure)
    longest = max(sum(Fraction(x) ** 2 for x in a) for a in measure.directions)
    claimed = Fraction(g.lower(measure)) / Fraction(g.factor)
    assert claimed <= 0 or claimed**2 * total**2 * longest**g.feature.degree <= least**2 * (1 + Fraction(1, 10**15))
    assert claimed <= 0 or claimed * total <= least * (1 + Fraction(1, 10**15))


@pytest.mark.parametrize("feature", FEATURES)
def test_cancelling_terms_leave_the_margin_its_digits(feature):
    """Two neurons that differ by 1e-9 against each other on z of norm 1e6: the bound is the rational value rounded."""
    a = np.array([[0.6, 0.8], [0.6 + 1e-9, 0.8]])
    Z = np.array([[1e6, 2e6], [3e6, 1e6]])
    g = DictionaryGame(Z, np.ones(2), feature, "path", directions=a)
    measure = Measure(a, np.array([-0.5, 0.5]))
    least, total = exact_margin(g, measure)
    norm = sum(0.5 * np.longdouble(np.linalg.norm(row)) ** feature.degree for row in a)
    assert float(total) == 1.0
    assert g.lower(measure) == pytest.approx(float(least) / float(norm), rel=1e-14)
    assert Fraction(g.lower(measure)) <= least / Fraction(float(norm)) * (1 + Fraction(1, 10**15))


@given(st.integers(0, 500), st.sampled_from(FEATURES))
def test_upper_covers_every_neuron_of_the_dictionary(seed, feature):
    g, rng = game(seed, feature), np.random.default_rng(seed)
    p = rng.random(len(g.y)) * (rng.random(len(g.y)) < 0.7) + 1e-3
    upper = g.certify(Measure(g.directions[:1], np.ones(1)), p).upper
    payoffs = DictionaryOracle(g.Z, g.feature, g.directions).payoffs(p * g.y)
    assert (g.factor * np.abs(payoffs) / p.sum() <= upper).all()


def test_margins_by_hand():
    """One neuron (0.6, 0.8) of weight -2 on z = (1, 1), y = -1: path margin 2 * 1.4, norm 2."""
    g = DictionaryGame(np.ones((1, 2)), np.array([-1.0]), RELU, "path", directions=np.array([[0.6, 0.8]]))
    measure = Measure(np.array([[0.6, 0.8]]), np.array([-2.0]))
    assert g.margins(measure) == pytest.approx([2.8])
    assert g.norm(measure) == pytest.approx(2.0)
    assert g.lower(measure) == pytest.approx(1.4)
    assert g.certify(measure, np.ones(1)).upper == pytest.approx(1.4)


def test_sphere_is_half_of_path():
    sphere, path = game(3, RELU, "sphere"), game(3, RELU, "path")
    measure, p = Measure(sphere.directions, np.ones(9)), np.ones(6)
    assert path.certify(measure, p).upper == pytest.approx(2 * sphere.certify(measure, p).upper, rel=1e-12)
    assert path.margins(measure) == pytest.approx(2 * sphere.margins(measure), rel=1e-15)


def test_a_wrong_classifier_has_lower_zero():
    g = DictionaryGame(np.ones((1, 2)), np.array([1.0]), RELU, directions=np.eye(2))
    assert g.lower(Measure(np.eye(2), np.array([-1.0, 0.0]))) == 0.0
    assert g.lower(Measure(np.eye(2), np.zeros(2))) == 0.0


def test_normalised_measure_is_the_same_classifier():
    Z, measure = (
        np.random.default_rng(0).standard_normal((5, 2)),
        Measure(np.array([[3.0, 4.0], [0.0, 1.0]]), np.array([2.0, 0.0])),
    )
    unit = measure.normalised(1)
    assert len(unit) == 1
    assert np.abs(unit.weights).sum() == pytest.approx(1.0)
    assert unit.outputs(Z, RELU) * measure.total_variation(1) == pytest.approx(measure.outputs(Z, RELU))


@pytest.mark.parametrize(
    ("bracket", "interrupted", "status"),
    [
        (Bracket(1.0, 1.0 + 1e-10, "sphere-exact"), False, Status.CERTIFIED),
        (Bracket(1.0, 1.1, "sphere-exact"), False, Status.BRACKETED),
        (Bracket(1.0, 1.1, "sphere-bound"), True, Status.INTERRUPTED),
        (Bracket(0.0, 1e-14, "sphere-exact"), False, Status.NOT_SEPARABLE),
        (Bracket(0.0, 1e-3, "sphere-bound"), False, Status.BRACKETED),
        (Bracket(0.0, np.inf, "sphere-bound"), False, Status.BRACKETED),
    ],
)
def test_status_follows_from_our_gap(bracket, interrupted, status):
    assert bracket.status(1e-9, negligible=1e-12, interrupted=interrupted) is status
    assert status.sentence
