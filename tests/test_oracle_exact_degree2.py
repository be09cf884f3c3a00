"""Squared ReLU: the global maximum is an eigenvector of the moment matrix of the cell in which it lies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_reference import brute_force_quadratic, payoffs, random_directions

from maxmargin.errors import InputError
from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.oracles.enumeration.degree2 import QuadraticCellOracle

FEATURES = (SQUARED_RELU, Feature("bent", 2, 1.0, -0.1), Feature("square", 2, 1.0, 1.0), Feature("odd", 2, 1.0, -1.0))


def scale(Z, q):
    return np.abs(q) @ (Z**2).sum(axis=1)


def check_response(Z, q, feature, response):
    values = response.signs * (feature.evaluate(response.directions, Z) @ q)
    assert response.values == pytest.approx(values, abs=1e-13 * scale(Z, q))
    assert response.values[0] <= response.bound <= response.values[0] + 1e-13 * Z.shape[1] * scale(Z, q)
    assert response.scope == "sphere-exact"
    assert response.bound >= payoffs(Z, q, feature, random_directions(Z.shape[1], 1000)).max()


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
@pytest.mark.parametrize(("D", "n"), [(1, 4), (2, 7), (3, 8), (4, 7), (5, 7)])
def test_equals_eigenvectors_of_all_patterns_and_ascent(D, n, feature):
    rng = np.random.default_rng(D)
    for _ in range(3):
        Z, q = rng.normal(size=(n, D)), rng.normal(size=n)
        response = QuadraticCellOracle(Z, feature)(q)
        check_response(Z, q, feature, response)
        assert response.values[0] >= brute_force_quadratic(Z, q, feature) - 1e-12 * scale(Z, q)


@settings(max_examples=80, deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda D: st.lists(st.tuples(*[st.integers(-2, 2)] * D, st.integers(-3, 3)), min_size=1, max_size=6)
    ),
    st.sampled_from(FEATURES),
)
def test_lattice_points_with_multiple_eigenvalues(rows, feature):
    Z, q = np.array(rows, dtype=float)[:, :-1], np.array(rows, dtype=float)[:, -1]
    response = QuadraticCellOracle(Z, feature)(q)
    check_response(Z, q, feature, response)
    assert response.values[0] >= brute_force_quadratic(Z, q, feature) - 1e-12 * max(scale(Z, q), 1.0)


def test_closed_forms():
    """XOR at uniform p earns 1/2; two unit points at angle t with opposite labels earn sin(min(t, pi/2)) / 2 (C3)."""
    Z = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    assert QuadraticCellOracle(Z, SQUARED_RELU)(np.array([1, 1, -1, -1]) / 4).bound == pytest.approx(0.5, rel=1e-13)
    for angle in (0.3, 1.2, 2.5):
        Z = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
        best = QuadraticCellOracle(Z, SQUARED_RELU)(np.array([0.5, -0.5])).values[0]
        assert best == pytest.approx(0.5 * np.sin(min(angle, np.pi / 2.0)), rel=1e-12)


def test_a_cell_on_which_g_is_constant():
    """e_1, ..., e_D with equal weights: g = |a|^2 on the whole orthant, a D-fold eigenvalue."""
    for D in (2, 3, 4):
        response = QuadraticCellOracle(np.eye(D), SQUARED_RELU)(np.ones(D))
        assert response.bound == pytest.approx(1.0, rel=1e-13)
        assert response.scope == "sphere-exact"


def test_a_cancelling_q_is_bounded_by_exactly_zero():
    Z = np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 4.0]])
    for q in ([1.0, -1.0, 0.0], [2.0, 2.0, -1.0]):
        assert QuadraticCellOracle(Z, SQUARED_RELU)(np.array(q)).bound == 0.0


@pytest.mark.parametrize("D", [2, 3, 4])
def test_invariances(D):
    rng = np.random.default_rng(20 + D)
    n = 10
    Z, q = rng.normal(size=(n, D)), rng.normal(size=n)
    best = QuadraticCellOracle(Z, SQUARED_RELU)(q).values[0]
    order, rotation = rng.permutation(n), np.linalg.qr(rng.normal(size=(D, D)))[0]
    share, stretch = rng.uniform(size=n), rng.uniform(0.2, 5.0, size=n)
    padded = np.hstack([Z, np.zeros((n, 2))]) @ np.linalg.qr(rng.normal(size=(D + 2, D + 2)))[0]
    for Z2, q2, factor in (
        (Z @ rotation, q, 1.0),
        (Z[order], q[order], 1.0),
        (3.0 * Z, q, 9.0),
        (np.vstack([Z, Z]), np.concatenate([share * q, (1.0 - share) * q]), 1.0),
        (stretch[:, None] * Z, q / stretch**2, 1.0),
        (padded, q, 1.0),
        (Z, -q, 1.0),
    ):
        assert QuadraticCellOracle(Z2, SQUARED_RELU)(q2).values[0] == pytest.approx(factor * best, rel=1e-12)


def test_dense_grids_reach_the_bound_from_below():
    rng = np.random.default_rng(4)
    for D, K in ((2, 20_000), (3, 200_000)):
        Z, q = rng.normal(size=(40, D)), rng.normal(size=40)
        gap = QuadraticCellOracle(Z, SQUARED_RELU)(q).bound - payoffs(Z, q, SQUARED_RELU, random_directions(D, K)).max()
        assert 0.0 <= gap < 1e-3 * scale(Z, q)


def test_wrong_degree_is_refused():
    with pytest.raises(InputError, match="degree 2"):
        QuadraticCellOracle(np.eye(2), RELU)
