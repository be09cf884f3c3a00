"""Enumerations in small: bounds no wider than derived, what is moved, what prunes, what counts as crowded."""

from itertools import combinations

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.features import RELU, SQUARED_RELU, Feature
from maxmargin.oracles.enumeration import degree2, great_circles
from maxmargin.oracles.enumeration.degree1 import ArrangementOracle
from maxmargin.oracles.enumeration.degree2 import QuadraticCellOracle
from maxmargin.oracles.enumeration.kinks import EvenOdd, kinks
from maxmargin.oracles.enumeration.lines import rays, vanishes
from maxmargin.oracles.enumeration.pool import Candidates, Maxima

U = 2.0**-53
LEAKY = Feature("leaky", 1, 1.0, -0.25)
BENT = Feature("bent", 2, 1.0, -0.5)


@pytest.mark.parametrize("feature", [RELU, LEAKY, SQUARED_RELU, BENT], ids=lambda f: f.name)
@pytest.mark.parametrize("D", [3, 4, 5])
def test_a_bound_exceeds_the_best_value_by_no_more_than_its_derivation(feature, D):
    """2 (24 D u) H times the degree, and the rounding of one evaluation; H the sum of the absolute terms."""
    rng = np.random.default_rng(D)
    Z, q = rng.normal(size=(9, D)), rng.normal(size=9)
    g = kinks(rays(Z), feature, np.arange(9), q)
    smooth = np.linalg.norm(g.smooth) if feature.degree == 1 else np.abs(np.linalg.eigvalsh(g.smooth)).max()
    H = float(np.abs(g.h).sum() + smooth)
    found = (ArrangementOracle if feature.degree == 1 else QuadraticCellOracle)(Z, feature)(q)
    derived = feature.degree * 2.0 * 24.0 * D * U * H
    assert 0.99 * derived <= found.bound - found.values[0] <= 1.02 * derived + 16.0 * U * found.bound


@pytest.mark.parametrize("degree", [1, 2])
def test_points_that_share_a_line_up_to_rounding_are_moved_by_their_chord(degree):
    """|k| |z|^degree |u_i - u_j| degree: the slope of |t| is 1, that of |t| t is 2 on [-1, 1]."""
    u, angle = np.array([0.6, 0.8, 0.0]), 2.0**-52
    Z = np.array([u, 2.0 * (u + [0.0, 0.0, angle])])
    assert len(rays(Z).X) == 1
    feature = Feature("kinked", degree, 1.0, 1.0 if degree == 1 else -1.0)
    moved = kinks(rays(Z), feature, np.arange(2), np.array([1.0, 3.0])).moved
    least = 3.0 * 2.0**degree * angle * degree
    assert least <= moved <= 1.5 * least  # the chord is bounded by sqrt(2) times the sine
    parallel = kinks(rays(Z[[0, 0]]), feature, np.arange(2), np.array([1.0, 3.0])).moved
    assert parallel == 0.0 if degree == 2 else 0.0 < parallel < 1e-35  # roots of lengths are cut off


@pytest.mark.parametrize("feature", [RELU, LEAKY, SQUARED_RELU, BENT], ids=lambda f: f.name)
@pytest.mark.parametrize("factor", [2.0**-20, -(2.0**-20), 2.0**20, -1.0])
def test_all_maxima_scale_with_the_weights(feature, factor):
    """Signs and values change as the weights do, the maximisers stay, however small the values are."""
    rng = np.random.default_rng(0)
    Z, q = rng.normal(size=(12, 4)), rng.normal(size=12)
    oracle = (ArrangementOracle if feature.degree == 1 else QuadraticCellOracle)(Z, feature)
    one, other = oracle(q, 8), oracle(factor * q, 8)
    assert len(one.values) >= 4
    np.testing.assert_allclose(other.values, abs(factor) * one.values, rtol=1e-12)
    np.testing.assert_allclose(other.directions, one.directions, atol=1e-9)
    np.testing.assert_array_equal(other.signs, np.sign(factor) * one.signs)


@pytest.mark.parametrize(("degree", "left"), [(1, -0.5), (1, -0.8), (2, 0.0), (2, 0.2)])
@pytest.mark.parametrize("seed", range(3))
def test_all_neurons_of_the_best_classifier_are_maxima_against_the_best_adversary(seed, degree, left):
    """Complementarity; in degree 1 most of them lie on kinks, where the payoff has an edge or a vertex."""
    feature, rng = Feature("bent", degree, 1.0, left), np.random.default_rng(seed)
    X, y = rng.normal(size=(25, 2)), np.where(rng.random(25) < 0.5, 1.0, -1.0)
    best = mm.max_margin((X, y), feature=feature, self_check=False)
    Z, measure = np.hstack([X, np.ones((25, 1))]), best.classifier
    oracle = (ArrangementOracle if degree == 1 else QuadraticCellOracle)(Z, feature)
    found = oracle(best.adversary * y, 100)
    # where the odd part vanishes, a and -a are both maxima, and one of them is returned
    near = np.abs(measure.directions @ found.directions.T) > 1.0 - 1e-9
    near &= np.sign(measure.weights)[:, None] == found.signs
    assert near[np.abs(measure.weights) > 1e-6].any(axis=1).all()
    kinks = (np.abs(measure.directions @ Z[best.adversary > 0].T) < 1e-9).sum(axis=1)
    # which of nearly equal neurons the LP takes, and so how many are vertices (2 or 3), depends on the machine's BLAS
    assert degree == 2 or ((kinks > 0).mean() > 0.5 and (kinks == 2).sum() >= 2)


def test_who_lies_around_a_crowded_circle_takes_its_sign_once():
    """Leaving the circle through one plane of the flag after the other, x_j leaves 0 at the last one it depends on."""
    rng = np.random.default_rng(0)
    G = rng.normal(size=(3, 4, 50)) * (rng.random((3, 4, 50)) < 0.5)
    signs = great_circles._leaving(G)
    for c, j in np.ndindex(4, 50):
        last = np.flatnonzero(G[:, c, j])
        wanted = np.zeros(3)
        if len(last):
            wanted[last[-1]] = np.sign(G[last[-1], c, j])
        np.testing.assert_array_equal(signs[:, c, j], wanted)


def test_a_best_direction_that_is_no_local_maximum_is_returned_with_its_value():
    """g(a) = a_1^2 + 3 a_2 |a_2|: |even| + |odd| at +-a, with the sign of the even part and the side of the odd one."""
    parts = EvenOdd(np.eye(2)[1:], np.array([3.0]), np.diag([1.0, 0.0]))
    for a, wanted in (([0.6, 0.8], [0.6, 0.8]), ([0.6, -0.8], [-0.6, 0.8])):
        pool = Maxima(parts, 2, (4.0, 8), count=3, separation=1e-4)
        pool.offer(Candidates(np.array([a]), np.ones(1), np.array([2.28]), np.zeros(1, dtype=bool)))
        values, directions, signs = pool.best()
        np.testing.assert_allclose(values, [0.36 + 3.0 * 0.64])
        np.testing.assert_allclose(directions, [wanted])
        assert signs == [1.0] and 2.28 <= pool.proved() <= 2.28 * (1 + 1e-12)


def test_the_largest_value_comes_first_though_a_lesser_one_alone_is_a_local_maximum():
    parts = EvenOdd(np.eye(2)[1:], np.array([3.0]), np.diag([1.0, 0.0]))
    pool = Maxima(parts, 2, (4.0, 8), count=3, separation=1e-4)
    A = np.array([[1.0, 0.0], [0.6, 0.8]])
    pool.offer(Candidates(A, np.ones(2), np.array([1.0, 2.28]), np.array([True, False])))
    values, directions, _ = pool.best()
    np.testing.assert_allclose(values, [2.28, 1.0])
    np.testing.assert_allclose(directions, A[::-1])


@pytest.mark.parametrize("D", [2, 3, 6])
def test_the_bound_on_a_spectrum_is_attained_by_matrices_of_rank_one(D):
    """|tr|/D + sqrt((D-1)/D) |M - tr/D|_F is 1 for a projector, and above every spectrum."""
    i, j = np.triu_indices(D)
    rng = np.random.default_rng(D)
    a = rng.normal(size=D)
    M = [np.outer(a, a) / (a @ a), -np.outer(a, a) / (a @ a), *(B + B.T for B in rng.normal(size=(50, D, D)))]
    bound = degree2._spectral_bound(np.array([m[i, j] for m in M]).T, (i, j), D)
    np.testing.assert_allclose(bound[:2], 1.0, rtol=1e-11)
    assert all(b >= np.abs(np.linalg.eigvalsh(m)).max() for b, m in zip(bound, M, strict=True))


def test_how_crowded_an_arrangement_is():
    """Twelve roots of D_4, up to sign: a plane of theirs holds two or three; in general position only two."""
    rng = np.random.default_rng(0)
    roots = [np.eye(4)[i] + s * np.eye(4)[j] for i, j in combinations(range(4), 2) for s in (1.0, -1.0)]
    X = np.array(roots) / np.sqrt(2.0)
    pairs = list(combinations(X, 2))
    share = np.mean([sum(np.linalg.matrix_rank([a, b, c], tol=1e-9) == 2 for c in X) > 2 for a, b in pairs])
    for oracle, walks in ((ArrangementOracle(X, RELU), 2 * 4), (QuadraticCellOracle(X, SQUARED_RELU), 2 * 2 * 4)):
        assert oracle._crowding(X) == pytest.approx(1.0 + share * (walks - 1), rel=0.4)
        Z = rng.normal(size=(12, 4))
        assert oracle._crowding(Z / np.linalg.norm(Z, axis=1)[:, None]) == 1.0
        many = np.ones(12)
        assert oracle.affordable(many, 66 * 12 * 10.0 * walks) and not oracle.affordable(many, 66 * 12 * 1.5)


@pytest.mark.parametrize("left", [0.0, -0.5, 0.5, 1.0, -1.0])
@pytest.mark.parametrize("degree", [1, 2])
def test_what_vanishes_has_neither_kinks_nor_a_polynomial(degree, left):
    """At z and -z the kinked parts are (right +- left)/2 |t|^k or t|t|^(k-1), the polynomials (right -+ left)/2 t^k."""
    z, feature = np.array([0.6, -0.8]), Feature("bent", degree, 1.0, left)
    for q, kinks_cancel, rest_cancels in (
        ([1.0, -1.0], degree == 1, degree == 2),
        ([1.0, 1.0], degree == 2, degree == 1),
    ):
        kinked, smooth = (1.0 + left, 1.0 - left) if degree == 1 else (1.0 - left, 1.0 + left)
        wanted = (kinks_cancel or kinked == 0.0) and (rest_cancels or smooth == 0.0)
        assert vanishes(np.array([z, -z]), np.array(q), feature) == wanted
        assert vanishes(np.array([z, z, -z, -z]), np.array([1.0, -1.0, q[1], -q[1]]), feature)
