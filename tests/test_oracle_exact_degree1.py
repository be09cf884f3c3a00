"""The enumeration oracle finds the global maximum over all neurons, for both output signs, and proves it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_reference import brute_force, exact_maximum, payoffs, random_directions

from maxmargin.clock import Clock, Work
from maxmargin.errors import InputError
from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.oracles.enumeration.degree1 import ArrangementOracle, ExtendedArrangementOracle, Limits, maximise
from maxmargin.oracles.enumeration.great_circles import affordable

FEATURES = (RELU, Feature("leaky", 1, 1.0, -0.1), Feature("abs", 1, 1.0, 1.0), Feature("odd", 1, -0.5, 2.0))


def scale(Z, q):
    return np.abs(q) @ np.linalg.norm(Z, axis=1)


def check_response(Z, q, feature, response):
    """What every answer must satisfy, whatever the truth is."""
    values = response.signs * (feature.evaluate(response.directions, Z) @ q)
    assert response.values == pytest.approx(values, abs=1e-13 * scale(Z, q))
    assert (np.diff(response.values) <= 0.0).all()
    assert np.linalg.norm(response.directions, axis=1) == pytest.approx(1.0, abs=1e-14)
    assert response.values[0] <= response.bound <= response.values[0] + 3e-14 * Z.shape[1] * scale(Z, q)
    assert response.scope == "sphere-exact"
    assert response.bound >= payoffs(Z, q, feature, random_directions(Z.shape[1], 1000)).max()


@pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.name)
@pytest.mark.parametrize(("D", "n"), [(1, 4), (2, 6), (3, 7), (4, 6), (5, 6)])
def test_equals_brute_force_over_all_patterns(D, n, feature):
    rng = np.random.default_rng(D)
    for _ in range(4):
        Z, q = rng.normal(size=(n, D)), rng.normal(size=n)
        response = ArrangementOracle(Z, feature)(q)
        check_response(Z, q, feature, response)
        assert response.values[0] == pytest.approx(brute_force(Z, q, feature), rel=1e-12)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 5).flatmap(
        lambda D: st.lists(st.tuples(*[st.integers(-2, 2)] * D, st.integers(-3, 3)), min_size=1, max_size=7)
    ),
    st.sampled_from(FEATURES),
)
def test_lattice_points_in_degenerate_position(rows, feature):
    """Duplicates, antipodes, zero vectors, many hyperplanes through one line, all points in a subspace."""
    Z, q = np.array(rows, dtype=float)[:, :-1], np.array(rows, dtype=float)[:, -1]
    response = ArrangementOracle(Z, feature)(q)
    check_response(Z, q, feature, response)
    assert response.values[0] == pytest.approx(brute_force(Z, q, feature), abs=1e-12 * max(scale(Z, q), 1.0))


@pytest.mark.parametrize("noise", [1e-6, 1e-9, 1e-11, 1e-13, 1e-16])
@pytest.mark.parametrize("D", [3, 4])
def test_almost_degenerate_positions(D, noise):
    """Hyperplanes that almost meet or almost coincide: a misjudged sign may cost no more than rounding."""
    rng = np.random.default_rng(int(-np.log10(noise)))
    for _ in range(8):
        Z = np.sign(rng.normal(size=(6, D))) + noise * rng.normal(size=(6, D))
        q = rng.integers(-2, 3, size=6).astype(float)
        response = ArrangementOracle(Z, RELU)(q)
        check_response(Z, q, RELU, response)
        assert response.bound >= brute_force(Z, q, RELU) * (1.0 - 1e-15)


@pytest.mark.parametrize("lattice", [False, True])
@pytest.mark.parametrize(("D", "n"), [(3, 60), (4, 24), (5, 14)])
def test_lowest_vertices_and_walking_on_all_sides_agree(D, n, lattice, monkeypatch):
    """Visiting each face once misses none: the slow walk around all circles finds nothing else."""
    rng = np.random.default_rng(D)
    X = rng.integers(-4, 5, size=(n, D - 1)) if lattice else rng.normal(size=(n, D - 1))
    Z, q = np.hstack([X, np.ones((n, 1))]), rng.normal(size=n)
    once = ArrangementOracle(Z, RELU)(q)
    monkeypatch.setattr("maxmargin.oracles.enumeration.faces.LEVEL", np.inf)
    walked = ArrangementOracle(Z, RELU)(q)
    assert once.values[0] == pytest.approx(walked.values[0], rel=1e-13)
    if not lattice:  # in degenerate position the test for lesser local maxima depends on how one comes there
        assert once.values == pytest.approx(walked.values, rel=1e-12)


@pytest.mark.parametrize("D", [3, 4])
def test_cube_corners_in_crowded_position(D):
    """Parity weights on the cube: every vertex of the arrangement lies on many hyperplanes."""
    Z = np.array(np.meshgrid(*[[-1.0, 1.0]] * D)).reshape(D, -1).T
    q = Z[:, 0] * Z[:, 1] / len(Z)
    assert ArrangementOracle(Z, RELU)(q).values[0] == pytest.approx(np.sqrt(2.0) / 4.0, rel=1e-13)


def test_xor_and_alternating_polygons():
    """C5: with uniform p the 2k-gon's margin is (r/2k) tan(pi/2k) for even k and exactly zero payoff for odd k."""
    for k in (2, 4, 6):
        angles = np.pi * np.arange(2 * k) / k
        Z, q = np.stack([np.cos(angles), np.sin(angles)], axis=1), (-1.0) ** np.arange(2 * k) / (2 * k)
        assert ArrangementOracle(Z, RELU)(q).values[0] == pytest.approx(np.tan(np.pi / (2 * k)) / (2 * k), rel=1e-12)
    Z = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    assert ArrangementOracle(Z, RELU)(np.array([1, 1, -1, -1]) / 4).values[0] == pytest.approx(np.sqrt(2.0) / 4.0)


@pytest.mark.parametrize("d", [3, 4, 5])
def test_wei_points(d):
    """C7: x in {+-e_1 (y = 1), +-e_2 (y = -1)} x {-1, 1}^{d-2} with uniform p pays at most 1/4, for every d."""
    rest = np.array(np.meshgrid(*[[-1.0, 1.0]] * (d - 2))).reshape(d - 2, -1).T
    heads = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    Z = np.hstack([np.repeat(heads, len(rest), axis=0), np.tile(rest, (4, 1))])
    q = np.repeat([1.0, 1.0, -1.0, -1.0], len(rest)) / len(Z)
    assert ArrangementOracle(Z, RELU)(q).bound == pytest.approx(0.25, rel=1e-13)


def test_two_points_with_opposite_labels():
    """C3: p weighs the points inversely to their lengths, and the neuron perpendicular to the other point wins."""
    for angle in (0.3, 1.2, 2.5):
        r1, r2 = 1.0, 2.5
        Z = np.array([[r1, 0.0], [r2 * np.cos(angle), r2 * np.sin(angle)]])
        best = r1 * r2 / (r1 + r2) * np.sin(min(angle, np.pi / 2.0))
        assert ArrangementOracle(Z, RELU)(np.array([r2, -r1]) / (r1 + r2)).bound == pytest.approx(best, rel=1e-13)


def test_a_cancelling_q_is_bounded_by_exactly_zero():
    Z = np.array([[1.0, 2.0, 0.5], [1.0, 2.0, 0.5], [2.0, 4.0, 1.0], [0.0, 0.0, 0.0]])
    for q in ([1.0, -1.0, 0.0, 5.0], [1.0, 1.0, -1.0, 0.0], [0.0, 0.0, 0.0, 0.0]):
        response = ArrangementOracle(Z, RELU)(np.array(q))
        assert response.bound == 0.0
        assert response.directions.shape == (1, 3)


def test_a_nearly_cancelling_q_is_not():
    """1/3 and 0.1 are not exact in binary: the payoff is tiny but not zero, and the bound must say so."""
    Z = np.array([[0.1, 0.3], [0.1 * 3.0, 0.3 * 3.0]])
    q = np.array([3.0, -1.0])
    response = ArrangementOracle(Z, RELU)(q)
    truth = exact_maximum(Z, q, RELU)
    assert 0.0 < truth <= response.bound < 1e-14
    assert response.bound <= 1.5 * truth


@pytest.mark.parametrize("D", [2, 3, 4])
def test_invariances(D):
    """Rotation, order, scale, duplication with split weights, padding with zero coordinates."""
    rng = np.random.default_rng(10 + D)
    n = 12
    Z, q = rng.normal(size=(n, D)), rng.normal(size=n)
    best = ArrangementOracle(Z, RELU)(q).values[0]
    order, rotation = rng.permutation(n), np.linalg.qr(rng.normal(size=(D, D)))[0]
    share = rng.uniform(size=n)
    padded = np.hstack([Z, np.zeros((n, 2))]) @ np.linalg.qr(rng.normal(size=(D + 2, D + 2)))[0]
    stretch = rng.uniform(0.1, 9.0, size=n)
    for Z2, q2, factor in (
        (Z @ rotation, q, 1.0),
        (Z[order], q[order], 1.0),
        (3.5 * Z, q, 3.5),
        (np.vstack([Z, Z]), np.concatenate([share * q, (1.0 - share) * q]), 1.0),
        (stretch[:, None] * Z, q / stretch, 1.0),
        (Z, -q, 1.0),
        (padded, q, 1.0),
    ):
        assert ArrangementOracle(Z2, RELU)(q2).values[0] == pytest.approx(factor * best, rel=1e-12)


@pytest.mark.parametrize("D", [2, 3])
def test_coordinates_of_very_different_scale(D):
    rng = np.random.default_rng(3)
    Z, q = rng.normal(size=(6, D)) * 10.0 ** np.linspace(-8, 8, D), rng.normal(size=6)
    response = ArrangementOracle(Z, RELU)(q)
    check_response(Z, q, RELU, response)
    assert response.values[0] == pytest.approx(brute_force(Z, q, RELU), rel=1e-12)


def test_all_points_on_one_line():
    Z = np.outer([1.0, -2.0, 0.5, 3.0], [0.6, 0.8])
    q = np.array([1.0, -1.0, 2.0, -0.5])
    response = ArrangementOracle(Z, RELU)(q)
    assert response.values[0] == pytest.approx(2.0, rel=1e-14)  # toward -(0.6, 0.8) only the second point is active


def test_a_base_term_outside_the_span_of_the_points():
    """max |l.a| + |E(a)| with l orthogonal to all points is a hypotenuse."""
    X, h = np.eye(2, 3), np.array([1.0, 1.0])
    directions, bound = maximise(X, h, np.array([0.0, 0.0, 3.0]), Limits(5, 1e-4, Clock(), Work()))
    assert bound == pytest.approx(np.sqrt(2.0 + 9.0), rel=1e-13)
    assert np.abs(directions[0]) == pytest.approx(np.array([1.0, 1.0, 3.0]) / np.sqrt(11.0))


def test_responses_are_distinct_local_maxima():
    """Small steps from the reported directions gain nothing (points in general position)."""
    rng = np.random.default_rng(5)
    Z, q = rng.normal(size=(30, 3)), rng.normal(size=30)
    response = ArrangementOracle(Z, RELU)(q, count=10)
    assert len(response.values) == 10
    cosines = response.directions @ response.directions.T
    same = np.triu(response.signs[:, None] == response.signs, 1)
    assert cosines[same].max() < np.cos(0.9e-4)
    for a, s, value in zip(response.directions, response.signs, response.values, strict=True):
        around = a + 1e-6 * rng.normal(size=(200, 3))
        around /= np.linalg.norm(around, axis=1)[:, None]
        assert (s * (RELU.evaluate(around, Z) @ q)).max() <= value + 1e-13 * scale(Z, q)


def test_dense_grid_reaches_the_bound_from_below():
    angles = np.linspace(0.0, 2.0 * np.pi, 200_001)
    A = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rng = np.random.default_rng(8)
    Z, q = rng.normal(size=(40, 2)), rng.normal(size=40)
    best = payoffs(Z, q, RELU, A).max()
    assert 0.0 <= ArrangementOracle(Z, RELU)(q).bound - best < 1e-4 * scale(Z, q)


def test_affordability_and_bad_input():
    assert affordable(10**6, 3)
    assert affordable(150, 5)
    assert not affordable(1000, 5)
    rng = np.random.default_rng(0)
    assert ArrangementOracle(rng.normal(size=(500, 2)) @ rng.normal(size=(2, 9)), RELU).affordable(np.ones(500))
    with pytest.raises(InputError, match="too many to enumerate"):
        ArrangementOracle(rng.normal(size=(1000, 5)), RELU)(np.ones(1000))
    with pytest.raises(InputError, match="degree 1"):
        ArrangementOracle(np.eye(2), SQUARED_RELU)
    with pytest.raises(InputError, match="finite"):
        ArrangementOracle(np.array([[np.nan, 1.0]]), RELU)
    for q in (np.ones(3), np.array([1.0, np.nan])):
        with pytest.raises(InputError, match="q: found"):
            ArrangementOracle(np.eye(2), RELU)(q)


@pytest.mark.parametrize("seed", range(20))
def test_extended_precision_agrees_and_leaves_less_slack(seed):
    """On lattices and in general position; the value is the same, the bound closer to it."""
    rng = np.random.default_rng(seed)
    Z = rng.integers(-2, 3, (8, 3)).astype(float) if seed % 2 else rng.standard_normal((8, 3))
    q = rng.standard_normal(8)
    rough, fine = ArrangementOracle(Z, RELU)(q), ExtendedArrangementOracle(Z, RELU)(q)
    assert fine.values[0] == pytest.approx(rough.values[0], rel=1e-13)
    assert fine.values[0] * (1.0 - 1e-15) <= fine.bound <= fine.values[0] * (1.0 + 3e-15)
    assert fine.bound < rough.bound
