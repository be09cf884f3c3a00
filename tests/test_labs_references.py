"""The references of the laboratories, each against a plainer way to the same number."""

from __future__ import annotations

import numpy as np
import pytest

import maxmargin as mm
from maxmargin.features.directions import random_directions
from maxmargin.features.patterns import patterns
from maxmargin.labs import feature_averaging, kernel_flow, orthonormal_networks, threshold_activations, unhinged_loss
from maxmargin.labs.feature_averaging import Net
from maxmargin.labs.threshold_activations import margin, shattered
from maxmargin.solvers.lasso import lasso


def test_no_point_nearer_than_the_certified_distance_changes_the_label():
    """Random nets with biases: points inside the ball keep their sign, and some point at the upper end does not."""
    rng, seen = np.random.default_rng(0), 0
    for _ in range(5):
        net = Net(rng.standard_normal((6, 3)), rng.standard_normal(6))
        X = rng.standard_normal((20, 3))
        lower, upper = net.distances(X)
        assert np.all(lower <= upper * (1 + 1e-12))
        for x, inner, outer in zip(X[lower > 0], lower[lower > 0], upper[lower > 0], strict=True):
            steps = rng.standard_normal((20_000, 3))
            steps /= np.linalg.norm(steps, axis=1)[:, None]
            inside = x + inner * rng.uniform(0.8, 0.999, (20_000, 1)) * steps
            assert net.values(inside @ net.W.T + net.b).min() > 0.0
            seen += 1
            if np.isfinite(outer):
                sphere = x + outer * 1.02 * steps
                assert net.values(sphere @ net.W.T + net.b).min() <= 0.0
    assert seen > 20


def test_an_attack_never_beats_the_certified_distance():
    net, X = Net(np.eye(6), np.zeros(6)), np.eye(6)[:3] + 0.05
    nearest = net.distances(X)[0].min()
    assert net.attacked(X, 0.99 * nearest).all()


def test_patterns_are_all_that_random_units_show():
    rng = np.random.default_rng(1)
    for n, D in ((6, 2), (9, 3)):
        Z = rng.standard_normal((n, D))
        D_all, u = patterns(Z)
        known = {column.tobytes() for column in D_all.T}
        shown = (Z @ rng.standard_normal((D, 20_000)) >= 0).astype(float)
        assert {column.tobytes() for column in shown.T} <= known
        assert len(known) == D_all.shape[1]
        np.testing.assert_array_equal(Z @ u[:, :D].T >= -1e-11, D_all > 0)


def test_patterns_of_opposite_points():
    """XOR without a bias: four open cells, four rays and the origin."""
    cross = np.array([[1.0, 0], [0, 1], [-1, 0], [0, -1]])
    assert patterns(cross)[0].shape[1] == 9
    assert patterns(cross, closed=False)[0].shape[1] == 4


def test_the_margin_over_patterns_passes_the_checker():
    line = np.column_stack([np.arange(4.0), np.ones(4)])
    D, y = patterns(line)[0], np.array([1.0, -1, 1, 1])
    certificate = mm.max_margin((D, y), bias=False, convention="path", directions=np.eye(D.shape[1]))
    assert mm.check_certificate(certificate.to_json(), D, y).holds
    assert margin(D, y).upper == pytest.approx(0.25, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_shattered_lasso_clips(seed):
    rng = np.random.default_rng(seed)
    y = rng.standard_normal(5)
    cube = np.array(np.meshgrid(*[[0.0, 1.0]] * 5)).reshape(5, -1)
    lower, upper, _ = lasso(cube, y, 0.4)
    assert lower - 1e-9 <= shattered(y, 0.4) <= upper + 1e-9


def test_kernel_is_the_mean_over_neurons():
    rng = np.random.default_rng(0)
    X = random_directions(5, 3, rng)
    on = (rng.standard_normal((200_000, 3)) @ X.T > 0).astype(float)
    np.testing.assert_allclose(kernel_flow.kernel(X, X), X @ X.T * (on.T @ on) / len(on), atol=0.005)  # 4 sd


def test_the_closed_form_solves_its_equation():
    """Also at gamma = 1 / (C - 1), where the mean of the classes does not move."""
    for gamma in (0.0, 0.25, 0.7):
        model = unhinged_loss.Peeled(unhinged_loss.Settings(per_class=3, dimension=6, gamma=gamma))
        before, now, after = (model.closed_form(t) for t in (0.999, 1.0, 1.001))
        np.testing.assert_allclose((after - before) / 0.002, now @ model.generator(), atol=1e-6)


def test_the_spectrum_is_that_of_the_derivative():
    """Square layers: every eigenvalue of T is one of a step's numerical derivative, and the other way round."""
    settings = orthonormal_networks.Settings(singular=(1.5, 1.0), start=1e-7)
    case = orthonormal_networks.Case("square", 3, settings)
    predicted = np.unique(np.round(case.eigenvalues, 6))
    assert predicted[0] == 1.0 and predicted[-1] == pytest.approx(1 + 2 * (1.5**2 + 1) / 2 / 1.5**2)
    slow, fast = (case.descend(1.0 / e, 12) for e in predicted)
    # At step 1/T_k the mode k dies at once and the other one shrinks by |1 - T_j / T_k| a step.
    assert slow[-1] / slow[-2] == pytest.approx(abs(1 - predicted[-1]), rel=1e-3)
    assert fast[-1] / fast[-2] == pytest.approx(1 - 1 / predicted[-1], rel=1e-3)


def test_thresholds_between_the_two_roots_are_optimal():
    for beta in (np.sqrt(1.5) - 1, 0.26, 1 - np.sqrt(0.5)):
        assert feature_averaging.threshold_radius(8, beta) == pytest.approx(np.sqrt(0.5), rel=1e-12)
    assert feature_averaging.threshold_radius(8, 0.2) < np.sqrt(0.5) > feature_averaging.threshold_radius(8, 0.31)


def test_straight_through_paths_stay_above_the_bound():
    settings = threshold_activations.Settings(points=8, steps=300, width=40)
    rng = np.random.default_rng(0)
    Z = np.column_stack([rng.standard_normal((8, 2)), np.ones(8)])
    y = np.where(np.arange(8) % 2, 1.0, -1.0)
    lower = lasso(patterns(Z)[0], y, settings.penalty * 8)[0]
    for clipped in (True, False):
        assert threshold_activations.straight_through(Z, y, settings, 0, clipped).min() >= lower - 1e-9
