"""The oracle of the plane: agrees with the enumeration in floats, and is exact where that loses its digits."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxmargin.errors import InputError
from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.oracles.enumeration.circle import PlaneOracle
from maxmargin.oracles.enumeration.degree1 import ArrangementOracle
from maxmargin.oracles.enumeration.degree2 import QuadraticCellOracle
from maxmargin.oracles.selection import exact_oracle

LINEAR = [RELU, Feature("leaky", 1, 1.0, -0.3), Feature("abs", 1, 1.0, 1.0), Feature("linear", 1, 1.0, -1.0)]
QUADRATIC = [SQUARED_RELU, Feature("quad", 2, 1.0, -0.7), Feature("square", 2, 1.0, 1.0)]


@st.composite
def questions(draw):
    """Up to 8 points, parallel and repeated ones half of the time, and weights of which some vanish."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 8))
    Z = rng.integers(-2, 3, (n, 2)).astype(float) if draw(st.booleans()) else rng.standard_normal((n, 2))
    q = rng.standard_normal(n) * (rng.random(n) < 0.8)
    return Z, (np.round(q) if draw(st.booleans()) else q)


@settings(max_examples=300)
@given(questions(), st.sampled_from(LINEAR + QUADRATIC))
def test_agrees_with_the_enumeration_in_floats(question, feature):
    Z, q = question
    found = PlaneOracle(Z, feature)(q)
    other = (ArrangementOracle if feature.degree == 1 else QuadraticCellOracle)(Z, feature)(q)
    assert found.bound == pytest.approx(other.bound, rel=1e-12, abs=1e-13)
    paid = found.signs * (feature.evaluate(found.directions, Z) @ q)
    np.testing.assert_allclose(paid, found.values, atol=1e-13)
    np.testing.assert_allclose(np.linalg.norm(found.directions, axis=1), 1.0, rtol=1e-15)


def exact_payoff(Z, q, a) -> Fraction:
    """sum_i q_i (a.z_i)_+ for a rational a."""
    total = Fraction(0)
    for z, weight in zip(Z, q, strict=True):
        u = sum((Fraction(float(s)) * t for s, t in zip(z, a, strict=True)), Fraction(0))
        total += Fraction(float(weight)) * max(u, Fraction(0))
    return total


@pytest.mark.parametrize("scale", [(1.0, 1e-10), (2e3, 1.0), (1e10, 1.0), (1e-3, 1e3)])
@pytest.mark.parametrize("seed", range(4))
def test_no_neuron_is_paid_more_in_exact_arithmetic_however_the_coordinates_are_scaled(scale, seed):
    """Rational directions: all kinks, and a grid of directions between them in the scaled coordinates."""
    rng = np.random.default_rng(seed)
    Z, q = rng.standard_normal((6, 2)) * scale, rng.standard_normal(6)
    bound = Fraction(PlaneOracle(Z, RELU)(q).bound)
    fixed = [(Fraction(float(-z[1])), Fraction(float(z[0]))) for z in Z]
    angles = np.linspace(0.0, 2.0 * np.pi, 60)
    fixed += [(Fraction(np.cos(t) / scale[0]), Fraction(np.sin(t) / scale[1])) for t in angles]
    best = Fraction(0)
    for a in fixed:
        for b in (a, (-a[0], -a[1])):
            value = exact_payoff(Z, q, b)
            square = value * value / (b[0] * b[0] + b[1] * b[1])
            assert square <= bound * bound
            best = max(best, square)
    assert best > 0


def test_a_kink_between_points_of_norms_1e_3_and_1e3_under_an_angle_of_1e_6():
    """C3: the neuron perpendicular to one point is paid p |z| sin(angle) by the other, to the last digits."""
    Z = np.array([[1e-3, 0.0], [1e3 * np.cos(1e-6), 1e3 * np.sin(1e-6)]])
    p = np.array([1e3, 1e-3]) / (1e3 + 1e-3)
    found = PlaneOracle(Z, RELU)(p * np.array([-1.0, 1.0]))
    gamma = np.sin(1e-6) / (1e3 + 1e-3)
    assert found.bound == pytest.approx(gamma, rel=1e-13)
    np.testing.assert_allclose(found.values[:2], gamma, rtol=1e-13)


@pytest.mark.parametrize("feature", [RELU, SQUARED_RELU])
def test_parallel_points_are_one_line_only_if_they_are_so_exactly(feature):
    """q and -q on a point and its double cancel; on its next neighbour among floats they do not."""
    z, half = np.array([0.1, 0.7]), 2.0**-feature.degree
    assert PlaneOracle(np.stack([z, 2.0 * z]), feature)(np.array([1.0, -half])).bound == 0.0
    nearly = np.stack([z, 2.0 * np.nextafter(z, 1.0)])
    assert 0.0 < PlaneOracle(nearly, feature)(np.array([1.0, -half])).bound < 1e-15


def test_it_is_the_exact_oracle_of_the_plane():
    assert isinstance(exact_oracle(np.eye(2), RELU), PlaneOracle)
    assert not isinstance(exact_oracle(np.eye(3), RELU), PlaneOracle)


@pytest.mark.parametrize("q", [np.ones(3), np.array([1.0, np.nan])])
def test_bad_questions_are_refused(q):
    with pytest.raises(InputError, match="2 finite weights"):
        PlaneOracle(np.eye(2), RELU)(q)
    with pytest.raises(InputError, match=r"\(n, 2\)"):
        PlaneOracle(np.eye(3), RELU)


@pytest.mark.parametrize("feature", QUADRATIC, ids=lambda f: f.name)
@pytest.mark.parametrize("length", [2.0**-30, 0.5, 1.0, 3.0])
def test_one_point_pays_its_square(feature, length):
    """The neuron along z earns |q| |z|^2 times the larger side of sigma, however small the integers are."""
    for q in (1.0, -0.25):
        for z in ([length, 0.0], [0.0, -length]):
            found = PlaneOracle(np.array([z]), feature)(np.array([q]))
            assert found.values[0] == abs(q) * length**2 * max(abs(feature.right), abs(feature.left))
