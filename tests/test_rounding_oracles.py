"""Each slack of the exact oracles, where it counts: payoffs that are small against their terms, in rationals."""

from fractions import Fraction

import numpy as np
import pytest
from oracle_reference import exact_maximum, exact_payoffs, random_directions

from maxmargin.features import RELU, Feature
from maxmargin.oracles.enumeration.circle import PlaneOracle
from maxmargin.oracles.enumeration.degree1 import ArrangementOracle, ExtendedArrangementOracle
from maxmargin.oracles.enumeration.degree2 import QuadraticCellOracle
from maxmargin.oracles.enumeration.kinks import kinks
from maxmargin.oracles.enumeration.lines import rays, span


def nearly(slope_gap, degree=1):
    """A leaky feature that is almost linear (degree 1) or almost a square (degree 2)."""
    return Feature("nearly", degree, 1.0, -(1.0 - slope_gap) if degree == 1 else 1.0 - slope_gap)


def balanced(rng, n, D, feature):
    """Points and weights whose smooth parts nearly cancel, so that little is left of the terms of g."""
    Z = rng.normal(size=(n, D)) + 20.0 * np.eye(1, D, D - 1)
    forms = Z if feature.degree == 1 else Z[:, :, None] * Z[:, None, :]
    q = np.linalg.svd(forms.reshape(n, -1).T)[2][-1]
    return Z, q / np.abs(q).sum()


@pytest.mark.parametrize("gap", [1e-5, 1e-7, 1e-9])
@pytest.mark.parametrize("oracle", [ArrangementOracle, ExtendedArrangementOracle])
def test_nearly_linear_features_in_dimension_three(gap, oracle):
    """Coefficients combined in float64 lost 1e-16 / (right + left) of the upper end."""
    for seed in range(8):
        feature = nearly(gap)
        Z, q = balanced(np.random.default_rng(seed), 5, 3, feature)
        assert exact_maximum(Z, q, feature) <= Fraction(oracle(Z, feature)(q).bound)


@pytest.mark.parametrize("scale", [1e-4, 1.0])
def test_tiny_features_beside_the_bias(scale):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        Z = np.hstack([scale * rng.normal(size=(5, 2)), np.ones((5, 1))])
        q = rng.dirichlet(np.ones(5)) * np.where(rng.random(5) < 0.5, 1.0, -1.0)
        feature = Feature("leaky", 1, 1.0, -0.3)
        for oracle in (ArrangementOracle, ExtendedArrangementOracle):
            assert exact_maximum(Z, q, feature) <= Fraction(oracle(Z, feature)(q).bound)


@pytest.mark.parametrize("feature", [RELU, nearly(1e-7), Feature("abs", 1, 1.0, 1.0)], ids=lambda f: f.name)
def test_in_the_plane_the_bound_is_within_a_few_units_of_the_truth(feature):
    for seed in range(15):
        rng = np.random.default_rng(seed)
        Z = rng.normal(size=(6, 2)) * 10.0 ** rng.integers(-6, 7, size=(6, 1))
        q = rng.normal(size=6)
        truth, bound = exact_maximum(Z, q, feature), Fraction(PlaneOracle(Z, feature)(q).bound)
        assert truth <= bound <= truth * (1 + Fraction(1, 10**14))


def test_in_the_plane_points_of_1e_minus_150_and_1e150_are_both_seen():
    """A kink at a tiny point: its height is 1e-300 of other heights, its value is the largest."""
    Z = np.array([[1e-150, 1e-150], [1e150, 0.0], [1e150, 0.0]])
    for q in ([1.0, 1.0, -1.0], [1.0, 1e-300, -3e-300], [1e300, 1.0, -0.5]):
        q = np.array(q)
        assert exact_maximum(Z, q, RELU) <= Fraction(PlaneOracle(Z, RELU)(q).bound)


def attained(Z, q, feature, oracle):
    """The oracle's bound is not below what its own directions, and others near them, are paid exactly."""
    response = oracle(q)
    near = response.directions[:1] + 1e-9 * random_directions(Z.shape[1], 4)
    paid = max(exact_payoffs(Z, q, feature, np.vstack([response.directions[:3], near])))
    return paid <= Fraction(response.bound), paid, response.bound


@pytest.mark.parametrize("D", [4, 5])
@pytest.mark.parametrize("degree", [1, 2])
def test_nearly_smooth_features_in_higher_dimension(D, degree):
    oracle = ArrangementOracle if degree == 1 else QuadraticCellOracle
    for seed in range(6):
        feature = nearly(1e-7, degree)
        Z, q = balanced(np.random.default_rng(seed), (D if degree == 1 else D * (D + 1) // 2) + 1, D, feature)
        if degree == 2 and D == 5:
            Z, q = Z[:9], q[:9]
        holds, paid, bound = attained(Z, q, feature, oracle(Z, feature))
        assert holds, (seed, float(paid), bound)


@pytest.mark.parametrize("D", [3, 4])
@pytest.mark.parametrize("degree", [1, 2])
def test_points_that_share_a_line_up_to_rounding_only(D, degree):
    """Opposite votes a few units apart: what is left of them is what they moved by."""
    feature = Feature("abs", 1, 1.0, 1.0) if degree == 1 else Feature("odd", 2, 1.0, -1.0)
    oracle = ArrangementOracle if degree == 1 else QuadraticCellOracle
    grouped = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        z = rng.uniform(0.25, 1.0, D)
        Z = np.array([z, np.nextafter(z, 2.0 * (rng.random(D) < 0.5)), np.nextafter(z, 0.0)])
        q = np.array([1e-3, 0.5, -0.5])
        grouped += len(rays(Z).X) < 3
        truth = max(exact_payoffs(Z, q, feature, np.vstack([random_directions(D, 20), Z])))
        assert truth <= Fraction(oracle(Z, feature)(q).bound)
    assert grouped > 5  # else nothing was tested


def test_kinks_are_rounded_once():
    """h, l and Q of nearly cancelling weights are right to the last places, and exact cancellation is zero."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=3)
    Z = np.vstack([np.outer([1.0, 2.0, -4.0], z), rng.normal(size=(2, 3))])
    q = np.array([2.0, 1.0, -1.0, 1.0, -1.0])
    g = kinks(rays(Z), Feature("abs", 1, 1.0, 1.0), np.arange(5), q)
    line = rays(Z).index[0]
    assert g.h[line] == 0.0
    g = kinks(rays(Z), nearly(1e-9), np.arange(5), q * [1.0, 1.0, 1.0, 1.0, 1e-16])
    weights = q * [1.0, 1.0, 1.0, 1.0, 1e-16]
    exact = [sum(Fraction(w) * Fraction(x) for w, x in zip(weights, Z[:, d], strict=True)) for d in range(3)]
    half = (1 + Fraction(1.0 - 1e-9)) / 2
    assert all(abs(Fraction(float(v)) / (half * e) - 1) <= 2.0**-52 for v, e in zip(g.smooth, exact, strict=True))


def test_rows_beside_their_span_count():
    """Points within 1e-15 of a plane are enumerated in it; their distance from it is paid for."""
    rng = np.random.default_rng(3)
    X = np.hstack([rng.normal(size=(6, 2)), 4e-16 * rng.normal(size=(6, 1))])
    X /= np.linalg.norm(X, axis=1)[:, None]
    basis, residual = span(X)
    assert len(basis) == 2
    assert residual >= np.abs(X - (X @ basis.T) @ basis).max() > 0.0


def test_what_the_smooth_part_has_outside_of_the_span_counts():
    """u^2 of points 1e-15 apart: Q is smaller than the distance of the points from the line in which they are seen."""
    square = Feature("square", 2, 1.0, 1.0)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        z = rng.normal(size=4)
        Z = np.array([z + 1e-15 * rng.normal(size=4) for _ in range(2)])
        q = np.array([0.5, -0.5])
        Q = np.einsum("i,ij,ik->jk", q, Z, Z)
        top = np.linalg.eigh(Z[:1].T @ (Z[:1] - Z[1:]) + (Z[:1] - Z[1:]).T @ Z[:1])[1]
        truth = max(exact_payoffs(Z, q, square, np.vstack([top.T, np.linalg.eigh(Q)[1].T])))
        assert truth <= Fraction(QuadraticCellOracle(Z, square)(q).bound)
